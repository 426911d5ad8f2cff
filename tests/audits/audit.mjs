// Runs every GraphQL-over-HTTP audit of graphql-http against a URL and prints [{id, name, status, reason}].
// Usage: node audit.mjs URL, with graphql-http installed beside this file.
import { serverAudits } from "graphql-http";

const url = process.argv[2];
if (!url) {
  console.error("usage: node audit.mjs URL");
  process.exit(2);
}
const results = [];
for (const audit of serverAudits({ url, fetchFn: fetch })) {
  const { status, reason } = await audit.fn();
  results.push({ id: audit.id, name: audit.name, status, reason: reason ?? null });
}
console.log(JSON.stringify(results));
