"use strict";
// Searches the rows; a page without it can be read all the same. #search=words is a link to a search.
(() => {
  const field = document.getElementById("search");
  if (!field) return;
  const found = document.getElementById("found");
  const rows = [...document.querySelectorAll("table.rows tbody tr")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const search = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, number) => {
      row.hidden = !words.every((word) => texts[number].includes(word));
      shown += row.hidden ? 0 : 1;
    });
    found.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
  };
  const follow = () => {
    if (!location.hash.startsWith("#search=")) return;
    try { field.value = decodeURIComponent(location.hash.slice(8)); } catch { return; }
    search();
  };
  // A link to a row must find it, also when a search has hidden it.
  addEventListener("hashchange", () => {
    if (location.hash.startsWith("#line-") && field.value) { field.value = ""; search(); document.querySelector(":target")?.scrollIntoView(); }
    follow();
  });
  field.addEventListener("input", search);
  field.closest("[hidden]").hidden = false;
  follow();
})();
