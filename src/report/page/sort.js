// A click on a heading sorts its table by that column, a second one turns the order round.
document.querySelectorAll("thead th:not(.picture)").forEach((head) => {
  head.tabIndex = 0;
  const sort = () => {
    const table = head.closest("table");
    const index = [...head.parentNode.children].indexOf(head);
    const descending = head.getAttribute("aria-sort") === "ascending";
    const key = (row) => row.cells[index].dataset.key;
    const numeric = head.classList.contains("number");
    const compare = (a, b) => {
      if (a === "" || b === "") return (a === "") - (b === "");
      const order = numeric ? Number(a) - Number(b) : a.localeCompare(b);
      return descending ? -order : order;
    };
    const body = table.tBodies[0];
    [...body.rows].sort((a, b) => compare(key(a), key(b))).forEach((row) => body.append(row));
    table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  };
  head.addEventListener("click", sort);
  head.addEventListener("keydown", (event) => {
    if (event.key === "Enter") sort();
  });
});
