//! Minimum-cost maximum flow on a directed network with whole capacities and costs.
//!
//! Successive shortest paths with potentials (Edmonds and Karp, 1972; Tomizawa, 1971), in phases: a
//! search by Dijkstra that ends at the sink, then a blocking flow over all arcs without reduced
//! cost. Costs are not negative, so no potentials are needed at the start.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A vertex of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vertex(u32);

/// An arc of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arc(u32);

/// Farther than any distance.
const FAR: i64 = i64::MAX;

/// A network and the flow on it.
#[derive(Clone, Debug, Default)]
pub(super) struct Network {
    /// Arcs and their opposites in pairs: `arc ^ 1` is the opposite of `arc`.
    tail: Vec<u32>,
    head: Vec<u32>,
    residual: Vec<i64>,
    cost: Vec<i64>,
    vertices: u32,
    /// Per vertex, where its arcs begin in `leaving`; made when the network is solved.
    first: Vec<u32>,
    leaving: Vec<u32>,
}

/// What a search keeps for each vertex.
struct Search {
    potential: Vec<i64>,
    distance: Vec<i64>,
    /// Position in the arcs of the vertex up to which the blocking flow has come.
    current: Vec<u32>,
    on_path: Vec<bool>,
    heap: BinaryHeap<Reverse<(i64, u32)>>,
    /// Vertices whose distance is not far.
    reached: Vec<u32>,
}

impl Network {
    /// A new vertex.
    pub fn vertex(&mut self) -> Vertex {
        self.vertices += 1;
        Vertex(self.vertices - 1)
    }

    /// A new arc for up to `capacity` units, each of which costs `cost`; neither is negative.
    pub fn arc(&mut self, from: Vertex, to: Vertex, capacity: i64, cost: i64) -> Arc {
        debug_assert!(capacity >= 0 && cost >= 0, "capacity {capacity}, cost {cost}");
        let arc = Arc(u32::try_from(self.head.len()).expect("fewer than 2^32 arcs"));
        for (tail, head, residual, cost) in [(from, to, capacity, cost), (to, from, 0, -cost)] {
            self.tail.push(tail.0);
            self.head.push(head.0);
            self.residual.push(residual);
            self.cost.push(cost);
        }
        arc
    }

    /// Units that flow through `arc`.
    pub fn flow(&self, arc: Arc) -> i64 {
        self.residual[arc.0 as usize ^ 1]
    }

    /// Number of arcs.
    pub fn arcs(&self) -> usize {
        self.head.len() / 2
    }

    /// Sends as much as possible from `source` to `sink`, as cheaply as possible. Returns the amount
    /// and what it costs.
    pub fn solve(&mut self, source: Vertex, sink: Vertex) -> (i64, i64) {
        self.index_arcs();
        let vertices = self.vertices as usize;
        let mut search = Search {
            potential: vec![0; vertices],
            distance: vec![FAR; vertices],
            current: vec![0; vertices],
            on_path: vec![false; vertices],
            heap: BinaryHeap::new(),
            reached: Vec::new(),
        };
        let mut amount = 0;
        while self.shortest_paths(&mut search, source, sink) {
            amount += self.blocking_flow(&mut search, source, sink);
        }
        let forward = (0..self.head.len()).step_by(2);
        let cost = forward.map(|arc| self.residual[arc ^ 1] * self.cost[arc]).sum();
        (amount, cost)
    }

    /// Lists the arcs by the vertex that they leave.
    fn index_arcs(&mut self) {
        let mut first = vec![0; self.vertices as usize + 1];
        self.tail.iter().for_each(|tail| first[*tail as usize + 1] += 1);
        for vertex in 0..self.vertices as usize {
            first[vertex + 1] += first[vertex];
        }
        let mut next = first.clone();
        let mut leaving = vec![0; self.tail.len()];
        for (arc, tail) in self.tail.iter().enumerate() {
            leaving[next[*tail as usize] as usize] = arc as u32;
            next[*tail as usize] += 1;
        }
        (self.first, self.leaving) = (first, leaving);
    }

    /// Finds the distance of every vertex that is no farther from `source` than `sink` is, and
    /// makes the potentials fit; false if the sink cannot be reached.
    fn shortest_paths(&self, search: &mut Search, source: Vertex, sink: Vertex) -> bool {
        for vertex in search.reached.drain(..) {
            search.distance[vertex as usize] = FAR;
        }
        search.heap.clear();
        search.distance[source.0 as usize] = 0;
        search.reached.push(source.0);
        search.heap.push(Reverse((0, source.0)));
        let mut to_sink = None;
        while let Some(Reverse((distance, vertex))) = search.heap.pop() {
            if distance > search.distance[vertex as usize] {
                continue;
            }
            if vertex == sink.0 {
                to_sink = Some(distance);
                break;
            }
            self.relax(search, vertex, distance);
        }
        let Some(to_sink) = to_sink else { return false };
        // A vertex that is farther than the sink, or was not reached, counts as just as far: all
        // potentials rise by the same amount then, which is left out.
        for vertex in &search.reached {
            let distance = search.distance[*vertex as usize];
            if distance < to_sink {
                search.potential[*vertex as usize] += distance - to_sink;
            }
            search.current[*vertex as usize] = self.first[*vertex as usize];
        }
        true
    }

    fn relax(&self, search: &mut Search, vertex: u32, distance: i64) {
        for arc in self.leaving_arcs(vertex) {
            if self.residual[*arc as usize] == 0 {
                continue;
            }
            let head = self.head[*arc as usize];
            let through = distance + self.reduced_cost(&search.potential, *arc);
            let known = &mut search.distance[head as usize];
            if through < *known {
                if *known == FAR {
                    search.reached.push(head);
                }
                *known = through;
                search.heap.push(Reverse((through, head)));
            }
        }
    }

    fn leaving_arcs(&self, vertex: u32) -> &[u32] {
        let (from, to) = (self.first[vertex as usize], self.first[vertex as usize + 1]);
        &self.leaving[from as usize..to as usize]
    }

    fn reduced_cost(&self, potential: &[i64], arc: u32) -> i64 {
        let (tail, head) = (self.tail[arc as usize], self.head[arc as usize]);
        self.cost[arc as usize] + potential[tail as usize] - potential[head as usize]
    }

    /// Sends what can be sent over arcs without reduced cost; every vertex is given up when its
    /// arcs have been tried.
    fn blocking_flow(&mut self, search: &mut Search, source: Vertex, sink: Vertex) -> i64 {
        let mut amount = 0;
        let mut path: Vec<u32> = Vec::new();
        let mut vertex = source.0;
        search.on_path[vertex as usize] = true;
        loop {
            if vertex == sink.0 {
                amount += self.augment(&path);
                for arc in path.drain(..) {
                    search.on_path[self.head[arc as usize] as usize] = false;
                }
                vertex = source.0;
                continue;
            }
            if let Some(arc) = self.next_admissible(search, vertex) {
                path.push(arc);
                vertex = self.head[arc as usize];
                search.on_path[vertex as usize] = true;
            } else {
                search.on_path[vertex as usize] = false;
                let Some(arc) = path.pop() else { return amount };
                vertex = self.tail[arc as usize];
                search.current[vertex as usize] += 1;
            }
        }
    }

    /// The next arc of `vertex` that costs nothing, has room and does not lead back onto the path.
    fn next_admissible(&self, search: &mut Search, vertex: u32) -> Option<u32> {
        let end = self.first[vertex as usize + 1];
        while search.current[vertex as usize] < end {
            let arc = self.leaving[search.current[vertex as usize] as usize];
            let head = self.head[arc as usize] as usize;
            let is_admissible = self.residual[arc as usize] > 0
                && search.distance[head] != FAR
                && !search.on_path[head]
                && self.reduced_cost(&search.potential, arc) == 0;
            if is_admissible {
                return Some(arc);
            }
            search.current[vertex as usize] += 1;
        }
        None
    }

    /// Sends as much as all arcs of `path` have room for.
    fn augment(&mut self, path: &[u32]) -> i64 {
        let amount = path.iter().map(|arc| self.residual[*arc as usize]).min().unwrap_or(0);
        for arc in path {
            self.residual[*arc as usize] -= amount;
            self.residual[*arc as usize ^ 1] += amount;
        }
        amount
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An arc: from, to, capacity, cost.
    type Plain = (usize, usize, i64, i64);

    fn solved(vertices: usize, arcs: &[Plain]) -> (Network, Vec<Arc>, (i64, i64)) {
        let mut network = Network::default();
        let all: Vec<Vertex> = (0..vertices).map(|_| network.vertex()).collect();
        let ids = arcs
            .iter()
            .map(|(from, to, capacity, cost)| network.arc(all[*from], all[*to], *capacity, *cost));
        let ids: Vec<Arc> = ids.collect();
        let result = network.solve(all[0], all[vertices - 1]);
        (network, ids, result)
    }

    /// The optimum by another way: a maximum flow by breadth-first paths, then the cancelling of
    /// negative cycles found by Bellman and Ford, until there are none (Klein, 1967).
    fn by_cancelling_cycles(vertices: usize, arcs: &[Plain]) -> (i64, i64) {
        let mut residual: Vec<(usize, usize, i64, i64)> = Vec::new();
        for (from, to, capacity, cost) in arcs {
            residual.push((*from, *to, *capacity, *cost));
            residual.push((*to, *from, 0, -cost));
        }
        let push = |residual: &mut Vec<Plain>, path: &[usize]| {
            let amount = path.iter().map(|arc| residual[*arc].2).min().expect("a path has arcs");
            for arc in path {
                residual[*arc].2 -= amount;
                residual[arc ^ 1].2 += amount;
            }
            amount
        };
        let mut amount = 0;
        loop {
            let mut came_by: Vec<Option<usize>> = vec![None; vertices];
            let mut queue = std::collections::VecDeque::from([0]);
            while let Some(vertex) = queue.pop_front() {
                for (arc, (from, to, room, _)) in residual.iter().enumerate() {
                    if *from == vertex && *room > 0 && *to != 0 && came_by[*to].is_none() {
                        came_by[*to] = Some(arc);
                        queue.push_back(*to);
                    }
                }
            }
            let mut path = Vec::new();
            let mut vertex = vertices - 1;
            while let Some(arc) = came_by[vertex] {
                path.push(arc);
                vertex = residual[arc].0;
            }
            if path.is_empty() || vertex != 0 {
                break;
            }
            amount += push(&mut residual, &path);
        }
        while let Some(cycle) = negative_cycle(vertices, &residual) {
            push(&mut residual, &cycle);
        }
        let flows = residual.chunks(2).map(|pair| pair[1].2 * pair[0].3);
        (amount, flows.sum())
    }

    fn negative_cycle(vertices: usize, residual: &[Plain]) -> Option<Vec<usize>> {
        let mut distance = vec![0; vertices];
        let mut came_by: Vec<Option<usize>> = vec![None; vertices];
        let mut changed = None;
        for _ in 0..vertices {
            changed = None;
            for (arc, (from, to, room, cost)) in residual.iter().enumerate() {
                if *room > 0 && distance[*from] + cost < distance[*to] {
                    distance[*to] = distance[*from] + cost;
                    came_by[*to] = Some(arc);
                    changed = Some(*to);
                }
            }
        }
        let mut vertex = changed?;
        for _ in 0..vertices {
            vertex = residual[came_by[vertex].expect("it was reached")].0;
        }
        let mut cycle = Vec::new();
        let start = vertex;
        loop {
            let arc = came_by[vertex].expect("it is on a cycle");
            cycle.push(arc);
            vertex = residual[arc].0;
            if vertex == start {
                return Some(cycle);
            }
        }
    }

    /// The least cost over all ways to give each of `tasks` one of `machines` or nothing, with at
    /// most `room` on each machine.
    fn by_trying_all(costs: &[Vec<i64>], alone: &[i64], room: &[i64]) -> i64 {
        fn best(task: usize, costs: &[Vec<i64>], alone: &[i64], room: &mut Vec<i64>) -> i64 {
            if task == costs.len() {
                return 0;
            }
            let mut least = alone[task] + best(task + 1, costs, alone, room);
            for machine in 0..room.len() {
                if room[machine] > 0 {
                    room[machine] -= 1;
                    least = least.min(costs[task][machine] + best(task + 1, costs, alone, room));
                    room[machine] += 1;
                }
            }
            least
        }
        best(0, costs, alone, &mut room.to_vec())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

        #[test]
        fn any_network_is_solved_as_by_cancelling_cycles(
            vertices in 2..12usize,
            arcs in prop::collection::vec((0..12usize, 0..12usize, 0..8i64, 0..20i64), 0..60),
        ) {
            let arcs: Vec<Plain> = arcs.into_iter()
                .map(|(from, to, capacity, cost)| (from % vertices, to % vertices, capacity, cost))
                .filter(|(from, to, _, _)| from != to)
                .collect();
            let (network, ids, result) = solved(vertices, &arcs);
            prop_assert_eq!(result, by_cancelling_cycles(vertices, &arcs));
            let mut balance = vec![0; vertices];
            for (id, (from, to, capacity, _)) in ids.iter().zip(&arcs) {
                let flow = network.flow(*id);
                prop_assert!((0..=*capacity).contains(&flow));
                balance[*from] -= flow;
                balance[*to] += flow;
            }
            prop_assert_eq!(balance[vertices - 1], result.0);
            prop_assert!(balance[1..vertices - 1].iter().all(|sum| *sum == 0));
        }

        #[test]
        fn a_small_assignment_is_the_best_of_all(
            costs in prop::collection::vec(prop::collection::vec(0..30i64, 4), 1..6),
            alone in prop::collection::vec(0..60i64, 6),
            room in prop::collection::vec(0..3i64, 4),
        ) {
            let tasks = costs.len();
            let (first_machine, sink) = (1 + tasks, 1 + tasks + 4);
            let mut arcs = Vec::new();
            for (task, costs) in costs.iter().enumerate() {
                arcs.push((0, 1 + task, 1, 0));
                arcs.push((1 + task, sink, 1, alone[task]));
                for (machine, cost) in costs.iter().enumerate() {
                    arcs.push((1 + task, first_machine + machine, 1, *cost));
                }
            }
            arcs.extend(room.iter().enumerate().map(|(m, room)| (first_machine + m, sink, *room, 0)));
            let (_, _, (amount, cost)) = solved(sink + 1, &arcs);
            prop_assert_eq!(amount, tasks as i64);
            prop_assert_eq!(cost, by_trying_all(&costs, &alone, &room));
        }
    }
}
