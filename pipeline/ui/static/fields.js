// The inputs of the user's features and of the tunable weights.
"use strict";

function make(tag, properties = {}, ...children) {
  const { data, attributes, ...plain } = properties;
  const element = Object.assign(document.createElement(tag), plain);
  for (const [name, value] of Object.entries(data ?? {})) element.dataset[name] = value;
  for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const shown = (value) => (Array.isArray(value) ? value.join(", ") : value == null ? "" : typeof value === "number" ? String(Number(value.toPrecision(7))) : String(value));

const probability = (value) => (value == null ? "–" : Math.abs(value) >= 100 ? value.toFixed(1) : value.toFixed(4)).replace("-", "−");

// The value of an input: undefined if it is empty or no number where one is expected.
function typed(column, text) {
  const parts = column.multivalued ? text.split(",") : [text];
  const values = parts.map((part) => part.trim()).filter((part) => part !== "");
  const read = column.type === "bytes" ? values : values.map(Number);
  if (read.length === 0) return undefined;
  if (read.some((value) => Number.isNaN(value))) throw new Error(`${column.name}: expected a number, received "${text}".`);
  return column.multivalued ? read : read[0];
}

// One labelled input per column, with the values of the eval examples as proposals.
function makeFields(place, columns, changed) {
  place.replaceChildren(
    ...columns.map((column) => {
      const list = make("datalist", { id: `values-${column.name}` }, ...column.values.map((value) => make("option", { value: shown(value) })));
      const input = make("input", {
        id: `field-${column.name}`,
        autocomplete: "off",
        placeholder: "missing",
        inputMode: column.type === "bytes" ? "text" : "decimal",
        data: { column: column.name },
        attributes: column.values.length ? { list: list.id } : {},
      });
      input.addEventListener("change", changed);
      return make("div", { className: "field" }, make("label", { htmlFor: input.id, textContent: column.name }), input, list);
    }),
  );
}

// A slider and a number for each tunable weight.
function makeWeights(place, weights, changed) {
  place.replaceChildren(
    ...Object.entries(weights).map(([name, value]) => {
      const size = Math.max(4 * Math.abs(value), 1);
      const range = { min: value < 0 ? -size : 0, max: size, step: size / 200 };
      const slider = make("input", { type: "range", id: `weight-${name}`, ...range, value, data: { weight: name } });
      const number = make("input", { type: "number", step: "any", value, attributes: { "aria-label": `${name} as a number` } });
      slider.addEventListener("input", () => {
        number.value = slider.value;
        changed(name, Number(slider.value));
      });
      number.addEventListener("change", () => {
        if (number.value === "" || !Number.isFinite(Number(number.value))) number.value = slider.value;
        slider.value = number.value;
        changed(name, Number(number.value));
      });
      return make(
        "div",
        { className: "weight" },
        make("label", { htmlFor: slider.id }, make("code", { textContent: name }), make("small", { textContent: `recipe: ${shown(value)}` })),
        slider,
        number,
      );
    }),
  );
}
