// What is deployed after the package, for one organisation? Usage, from this folder:
//
//   node scripts/render.mjs [--out rendered] [--namespace acme] [--set NAME=VALUE]… [FOLDER]…
//
// Writes the folders named (post-install, when none is) with every template filled in whose placeholders are all set;
// the others are named and left out. With a namespace, what the package brought is called as it is called there.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";

const PLACEHOLDER = /{{ ([a-z_]+) }}/g;
const PACKAGE = "force-app/main/default";
const XML = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

const { values, positionals } = parseArgs({
  options: {
    out: { type: "string", default: "rendered" },
    namespace: { type: "string", default: "" },
    set: { type: "string", multiple: true, default: [] },
  },
  allowPositionals: true,
});
const settings = new Map(values.set.map((each) => [each.split("=", 1)[0], each.slice(each.indexOf("=") + 1)]));

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

// What the package brings, by name: its objects, fields, app and permission sets.
function packaged() {
  const objects = filesUnder(join(PACKAGE, "objects")).map((path) => path.split("/").at(-1).split(".")[0]);
  const others = ["externalClientApps", "permissionsets"].flatMap((folder) =>
    readdirSync(join(PACKAGE, folder)).map((name) => name.split(".")[0]),
  );
  return [...objects.filter((name) => name.endsWith("__c")), ...others];
}

// Before a template is filled in: an invoice's Status__c is the organisation's own, whatever we have of that name.
function prefixed(text) {
  if (!values.namespace) {
    return text;
  }
  const names = packaged().sort((one, other) => other.length - one.length);
  // Not names of files and labels of ours that only begin so, such as SMS_Connector_defaultPolicy.
  return text.replace(new RegExp(`(?<![\\w])(${names.join("|")})(?![\\w])`, "g"), `${values.namespace}__$1`);
}

function filled(text) {
  const missing = [...text.matchAll(PLACEHOLDER)].map((found) => found[1]).filter((name) => !settings.has(name));
  const told = (_, name) => settings.get(name).replace(/[&<>]/g, (each) => XML[each]);
  return { missing: [...new Set(missing)], text: missing.length ? "" : text.replace(PLACEHOLDER, told) };
}

// An outbound message's file is named for its object, and that of invoices is the organisation's own.
function target(path) {
  const name = path.replace(/\.template$/, "");
  return name.replace(/\/invoice\.workflow/, () => `/${settings.get("invoice_object")}.workflow`);
}

rmSync(values.out, { recursive: true, force: true });
for (const folder of positionals.length ? positionals : ["post-install"]) {
  for (const path of filesUnder(folder).sort()) {
    const { missing, text } = filled(prefixed(readFileSync(path, "utf8")));
    if (missing.length) {
      console.log(`${path}: left out, without --set ${missing.join(", --set ")}`);
      continue;
    }
    const written = join(values.out, target(relative(".", path)));
    mkdirSync(dirname(written), { recursive: true });
    writeFileSync(written, text);
    console.log(written);
  }
}
