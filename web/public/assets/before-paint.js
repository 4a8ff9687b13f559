// Runs before the first paint, so that a chosen theme and language never flash. A file, because inline scripts are not allowed.
try {
  var theme = localStorage.getItem("nomaflow-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  var language = localStorage.getItem("nomaflow-language");
  if (language === "en" || language === "fr") document.documentElement.lang = language;
} catch (blocked) {
  // Storage may be switched off: the system's theme is used.
}
