import pytest
from datetime import timedelta
from tests.entrypoints.operated import operated, run, migrate as o_mig
def test_x(tmp_path, redis_url, monkeypatch):
    import tests.entrypoints.operated as o; from connector.adapters.store.tables import metadata
    monkeypatch.setattr(o,'migrate',lambda e:(o_mig(e),metadata.drop_all(e),metadata.create_all(e)))
    with operated(tmp_path, redis_url, monkeypatch) as op:
        a=op.give_up(); b=op.give_up(is_unknown=True, code="", state_reason="nobody can tell whether it went out"); op.give_up(gateway="vonage",code="4",expires_at=op.now-timedelta(hours=1)); op.give_up("")
        op.carry("twilio",sent=200,delivered=190); op.carry("vonage",sent=50,delivered=40,failed=3)
        g=op.folder/"mappings/gateways.yaml"
        g.write_text(g.read_text()+'  marketing: {gateways: [twilio, vonage, telnyx]}\n  codes: twilio\n')
        for c in (["dlq","list"],["dlq","list","--json"],["dlq","show",b.id],["dlq","replay","--provider","twilio"],["dlq","drop","--limit","5"],["provider","status"],["provider","test","--provider","null"],["provider","test","--provider","null","--to","+12025550143","--wait","0"],["route","explain","--to","+12025550143","--purpose","marketing"],["route","explain","--to","+12025550143"],["lookup","+12025550143","--known"],["lookup","+12025550143"]):
            r=run(*c); print("$",*c); print(r.output); print(r.exit_code, r.exception)
