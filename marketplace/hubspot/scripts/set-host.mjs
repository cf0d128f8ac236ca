// Which files does HubSpot get, with your host in them?
//
//   node scripts/set-host.mjs https://sms.your-company.example OUT
//
// Writes the project to OUT (which must not exist yet) with `https://sms.example.com` replaced; what is here stays as it
// is. Then: cd OUT && hs project upload

import { cp, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("..", import.meta.url));
const PLACEHOLDER = "https://sms.example.com";
const UPLOADED = ["hsproject.json", "src"];
const INSTALLED = "node_modules"; // HubSpot installs its own

/** The origin of an address, or an error that says what is wrong with it. */
export function checkedHost(given) {
  let url;
  try {
    url = new URL(given);
  } catch {
    throw new Error("give the connector's PUBLIC_URL, such as https://sms.your-company.example");
  }
  if (url.protocol !== "https:") throw new Error("HubSpot calls https addresses only");
  if (url.username || url.password) throw new Error("leave the user name and password out of the address");
  if (url.pathname !== "/" || url.search || url.hash)
    throw new Error("give the address without a path, query or fragment");
  return url.origin;
}

/** Write the project to `out` for `host`. Rejects when `out` is there already. */
export async function setHost(host, out, project = PROJECT) {
  const origin = checkedHost(host);
  await mkdir(out);
  for (const name of UPLOADED) {
    const filter = (path) => !path.split(/[\\/]/).includes(INSTALLED);
    await cp(join(project, name), join(out, name), {
      recursive: true,
      filter: (path) => filter(path.slice(project.length)),
    });
  }
  for (const entry of await readdir(out, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await rewrite(join(entry.parentPath ?? entry.path, entry.name), origin);
  }
}

async function rewrite(file, origin) {
  const text = await readFile(file, "utf8");
  const mail = [`@${new URL(PLACEHOLDER).host}`, `@${new URL(origin).host}`];
  await writeFile(file, text.replaceAll(PLACEHOLDER, origin).replaceAll(...mail));
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [host, out] = process.argv.slice(2);
  try {
    if (!host || !out) throw new Error("usage: node scripts/set-host.mjs https://sms.your-company.example OUT");
    await setHost(host, resolve(out));
    console.log(`written to ${out}; next: cd ${out} && hs project upload`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
