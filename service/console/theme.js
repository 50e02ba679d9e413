// Before the first paint, so that nothing flashes: the theme chosen in this browser, else the system's.
"use strict";
try {
  const chosen = localStorage.getItem("cognomen-theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch {
  // A browser that keeps nothing follows the system.
}
