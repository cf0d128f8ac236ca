// Which SMSC, built on somebody else's codec, can our client be held against?
//
// Prints one JSON line for each thing that happens; takes one JSON line for each thing to do:
// {"deliver": {…fields of a deliver_sm…}}, {"refuse": status}. The text of a short message is printed as the
// library decodes it, its header apart.
const readline = require("readline");
const smpp = require("smpp");

const sessions = new Set();
const refusals = [];
let next = 0x5f000001;

function tell(what) {
  process.stdout.write(JSON.stringify(what) + "\n");
}

function plain(value) {
  if (Buffer.isBuffer(value)) return value.toString("hex");
  if (value instanceof Date) return value.toISOString();
  return value;
}

const server = smpp.createServer((session) => {
  session.on("error", (error) => tell({ error: error.message }));
  session.on("bind_transceiver", (pdu) => {
    const known = pdu.system_id === "acme" && pdu.password === "s3cret";
    tell({ bind: pdu.system_id, version: pdu.interface_version, known });
    session.send(pdu.response({ command_status: known ? 0 : smpp.ESME_RBINDFAIL, system_id: "npm" }));
    if (known) sessions.add(session);
  });
  session.on("submit_sm", (pdu) => {
    const status = refusals.shift() || 0;
    const id = status ? "" : (next++).toString(16);
    const fields = {};
    for (const name of ["source_addr", "source_addr_ton", "source_addr_npi", "destination_addr", "dest_addr_ton",
      "dest_addr_npi", "esm_class", "data_coding", "registered_delivery", "validity_period"]) {
      fields[name] = plain(pdu[name]);
    }
    const udh = pdu.short_message.udh ? pdu.short_message.udh.map(plain) : null;
    tell({ submit: fields, text: pdu.short_message.message, udh, id });
    session.send(pdu.response({ command_status: status, message_id: id }));
  });
  session.on("deliver_sm_resp", (pdu) => tell({ delivered: pdu.command_status }));
  session.on("enquire_link", (pdu) => { tell({ enquired: true }); session.send(pdu.response()); });
  session.on("unbind", (pdu) => { session.send(pdu.response()); session.close(); tell({ unbound: true }); });
  session.on("close", () => sessions.delete(session));
});

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const wish = JSON.parse(line);
  if (wish.refuse) tell({ refusals: refusals.push(wish.refuse) });
  if (wish.deliver) {
    const fields = wish.deliver;
    if (fields.udh) fields.short_message = { udh: Buffer.from(fields.udh, "hex"), message: fields.short_message };
    delete fields.udh;
    for (const session of sessions) session.deliver_sm(fields);
  }
}).on("close", () => process.exit(0));

server.listen(0, "127.0.0.1", () => tell({ port: server.address().port }));
