import { ask } from "c/smsApi";

const answering = (status, body) => jest.fn().mockResolvedValue({ status, body });

describe("ask", () => {
  it("gives what the connector answered, and hands the parameters on", async () => {
    const method = answering(200, '{"messages":[]}');
    const answer = await ask(method, { recordId: "003" });
    expect(method).toHaveBeenCalledWith({ recordId: "003" });
    expect(answer).toEqual({ ok: true, isAnswered: true, data: { messages: [] }, code: "", why: "" });
  });

  it("knows that a refusal was an answer, and says why", async () => {
    const answer = await ask(answering(409, '{"code":"opted_out","detail":"They opted out."}'));
    expect(answer).toMatchObject({ ok: false, isAnswered: true, code: "opted_out", why: "They opted out." });
  });

  it("uses the title of a problem that has no detail, and the status for a code", async () => {
    const answer = await ask(answering(404, '{"title":"No such contact"}'));
    expect(answer).toMatchObject({ isAnswered: true, code: "404", why: "No such contact" });
  });

  it.each([
    [0, '{"code":"no_answer","detail":"No answer."}'],
    [503, '{"title":"Try again"}'],
    [200, "<html>"],
  ])("does not take status %i for a decision of the connector", async (status, body) => {
    expect(await ask(answering(status, body))).toMatchObject({ ok: false, isAnswered: false });
  });

  it("knows that a call Salesforce did not let out was not carried out", async () => {
    const answer = await ask(answering(0, '{"code":"no_access","detail":"Ask an admin."}'));
    expect(answer).toMatchObject({ ok: false, isAnswered: true, why: "Ask an admin." });
  });

  it("turns what Salesforce throws into an answer", async () => {
    const refused = jest.fn().mockRejectedValue({ body: { message: "You may not." } });
    expect(await ask(refused)).toMatchObject({ ok: false, isAnswered: false, code: "apex", why: "You may not." });
    const broken = jest.fn().mockRejectedValue(new Error("x"));
    expect((await ask(broken)).why).toBe("Salesforce refused the call.");
  });
});
