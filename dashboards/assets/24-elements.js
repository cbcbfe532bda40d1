// Elements of our own that Dash draws as it draws its own; `dashboards/elements.py` has their other half.
"use strict";
(() => {
  const hv = (window.hv = window.hv || {});
  const make = (...rest) => window.React.createElement(...rest);

  // One of a few: the browser's own radio buttons, so that keys, names and roles are what everybody knows.
  const Choice = ({ id, options, value, label, setProps }) =>
    make("div", { id, className: "choices segments", role: "radiogroup", "aria-label": label },
      ...options.flatMap((option) => [
        make("input", { key: option.value, type: "radio", id: `${id}-${option.value}`, name: id, value: option.value, className: "vh", checked: option.value === value, onChange: () => setProps({ value: option.value }) }),
        make("label", { key: `${option.value} label`, htmlFor: `${id}-${option.value}`, className: "choice segment" }, option.label),
      ]));

  // The place of the alarms; what stands in it is drawn by `40-grid.js`. Other columns are another language: drawn anew.
  const AlarmList = ({ id, columns, rows, texts }) => {
    const place = window.React.useRef(null);
    window.React.useLayoutEffect(() => hv.listAlarms(place.current, { columns, rows, texts }), [columns, rows]);
    return make("div", { id, ref: place, className: "grid" });
  };

  // What changes: React keeps the place, and nothing in it.
  const Drawn = ({ id, className, tree, attributes }) => {
    const place = window.React.useRef(null);
    window.React.useLayoutEffect(() => {
      hv.draw(place.current, tree ?? []);
      hv.drewPage();
    }, [id, tree]);
    return make("div", { id, className, ref: place, "data-drawn": "1", ...attributes });
  };

  window.hypervision_elements = { Choice, Drawn, AlarmList };
})();
