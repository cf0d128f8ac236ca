// How does a row of tabs work with mouse and keyboard?

/** Let the tabs in `list` show their panels; `onShow` is called with the tab that was chosen. */
export function tabs(list, onShow = () => {}) {
  const all = [...list.querySelectorAll("[role=tab]")];

  function show(tab) {
    for (const each of all) {
      each.setAttribute("aria-selected", String(each === tab));
      each.tabIndex = each === tab ? 0 : -1;
      document.getElementById(each.getAttribute("aria-controls")).hidden = each !== tab;
    }
    list.dispatchEvent(new CustomEvent("tabshown", { detail: tab.id }));
    onShow(tab);
  }

  for (const tab of all) {
    tab.addEventListener("click", () => show(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      const shown = all.filter((each) => !each.hidden);
      const other = shown[(shown.indexOf(tab) + step + shown.length) % shown.length];
      show(other);
      other.focus();
    });
  }
}
