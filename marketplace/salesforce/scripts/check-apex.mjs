// Is every Apex class of the package Apex? Prints `file:line:column: message` for what is not, and exits with 1.
// Only the grammar is checked: types need an organisation.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ApexErrorListener, ApexParserFactory } from "@apexdevtools/apex-parser";

const mistakes = [];

class Listener extends ApexErrorListener {
  constructor(file) {
    super();
    this.file = file;
  }

  apexSyntaxError(line, column, message) {
    mistakes.push(`${this.file}:${line}:${column}: ${message}`);
  }
}

const folders = process.argv.slice(2);
let checked = 0;
for (const folder of folders.length ? folders : ["force-app/main/default/classes"]) {
  for (const name of readdirSync(folder).filter((each) => each.endsWith(".cls"))) {
    const file = join(folder, name);
    const { parser } = ApexParserFactory.createLexerAndParser(readFileSync(file, "utf8"), new Listener(file));
    parser.compilationUnit();
    checked += 1;
  }
}
console.log([...mistakes, `${checked} classes, ${mistakes.length} mistakes`].join("\n"));
process.exitCode = mistakes.length || !checked ? 1 : 0;
