// The sign-in leads back to the place that the page's address names after #.
const link = document.querySelector("a.button");
const address = link?.getAttribute("href");

function follow() {
  const place = location.hash.slice(1);
  const more = place ? `${address.includes("?") ? "&" : "?"}to=${encodeURIComponent(place)}` : "";
  link.setAttribute("href", address + more);
}

if (address !== undefined) {
  follow();
  addEventListener("hashchange", follow);
}
