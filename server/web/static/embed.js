// Tells the page around an embedded view that it is there, how large it is, and what was chosen in it.
// {source: "kg-view", v: 1, type: "ready" | "size" | "select", …}; the parent decides whom it listens to.
const say = (type, more) => {
  if (window.parent !== window) window.parent.postMessage({ source: "kg-view", v: 1, type, ...more }, "*");
};
const size = () => {
  const { width, height } = document.body.getBoundingClientRect();
  return { width: Math.ceil(width), height: Math.ceil(height) };
};
const chosen = (node) => ({ id: node.dataset.id, label: node.querySelector("a, [aria-label]")?.getAttribute("aria-label") ?? "" });

for (const node of document.querySelectorAll(".kg-node")) {
  const link = node.querySelector("a");
  if (!link) continue;
  link.addEventListener("click", () => say("select", { ...chosen(node), href: link.href.baseVal ?? link.href }));
  link.addEventListener("focus", () => say("select", { ...chosen(node), href: link.href.baseVal ?? link.href, focus: true }));
}
say("ready", { title: document.title, around: (document.body.dataset.middle ?? "").split(" ").filter(Boolean), ...size() });
new ResizeObserver(() => say("size", size())).observe(document.body);
