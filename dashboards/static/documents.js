// Draws the API's description; everything is set as text, nothing as markup.
"use strict";
(async () => {
  const place = document.getElementById("operations");
  const make = (tag, text, ...children) => {
    const node = document.createElement(tag);
    if (text) node.textContent = text;
    node.append(...children);
    return node;
  };
  const description = await (await fetch(place.dataset.source)).json();
  const resolve = (schema) => (schema?.$ref ? description.components.schemas[schema.$ref.split("/").pop()] : schema);
  const kind = (schema) => {
    const found = resolve(schema) ?? {};
    if (found.anyOf) return found.anyOf.map(kind).filter((name) => name !== "null").join(" or ");
    if (found.enum) return found.enum.join(", ");
    return found.format ? `${found.type}, ${found.format}` : found.type ?? "any";
  };
  const example = (schema) => {
    const found = resolve(schema) ?? {};
    if (found.type === "object" || found.properties)
      return Object.fromEntries(Object.entries(found.properties ?? {}).map(([name, inner]) => [name, example(inner)]));
    if (found.type === "array") return [example(found.items)];
    return kind(schema);
  };
  const tables = (operation) => {
    const parts = [];
    if (operation.parameters?.length) {
      const rows = operation.parameters.map((p) => make("tr", "", make("td", "", make("code", p.name)), make("td", p.required ? "required" : "optional"), make("td", kind(p.schema)), make("td", p.description ?? "")));
      parts.push(make("table", "", make("thead", "", make("tr", "", make("th", "Parameter"), make("th", ""), make("th", "Type"), make("th", ""))), make("tbody", "", ...rows)));
    }
    const body = operation.requestBody?.content?.["application/json"];
    if (body) parts.push(make("p", operation.requestBody.description ?? "Body (application/json)"), make("pre", JSON.stringify(body.example ?? example(body.schema), null, 2)));
    const answer = Object.entries(operation.responses ?? {}).find(([status]) => status.startsWith("2"));
    const schema = answer?.[1].content?.["application/json"]?.schema;
    if (schema && Object.keys(schema).length) parts.push(make("p", `Answer ${answer[0]}`), make("pre", JSON.stringify(example(schema), null, 2)));
    return parts;
  };
  const groups = new Map();
  for (const [path, operations] of Object.entries(description.paths))
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags?.[0] ?? "other";
      if (!groups.has(tag)) groups.set(tag, []);
      const summary = make("summary", "", make("b", method.toUpperCase()), make("code", path), make("span", operation.description ?? operation.summary ?? ""));
      groups.get(tag).push(make("details", "", summary, make("div", "", ...tables(operation))));
    }
  place.replaceChildren(...[...groups].flatMap(([tag, entries]) => [make("h2", tag), ...entries]));
})();
