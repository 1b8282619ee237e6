"""Uses the API as any Python program would; prints what it has seen as one JSON object."""

import json
import sys

import varlink

address, vgname, lvname, lvid = sys.argv[1:]
seen = {}


def error_of(call):
    try:
        return call()
    except varlink.VarlinkError as refusal:
        return [refusal.error(), refusal.parameters()]


def plain(value):
    return json.loads(json.dumps(value, cls=varlink.VarlinkEncoder))


with varlink.Client.new_with_address(address) as client:
    with client.open("org.varlink.service") as service:
        seen["product"] = service.GetInfo()["product"]
    with client.open("org.lvmwarden.Poll") as poll, client.open("org.lvmwarden.Events") as events:
        seen["before"] = len(poll.List()["operations"])
        wanted = dict(kind="pvmove", vgname=vgname, lvname=lvname, lvid=lvid, interval_seconds=1)
        first = poll.Start(**wanted)
        again = poll.Start(**wanted)
        seen["again"] = [again["already_running"], again["id"] == first["id"]]
        seen["listed"] = [operation["lvname"] for operation in poll.List()["operations"]]
        for reply in poll.Watch(id=first["id"], _more=True):
            outcome = reply["operation"].get("outcome")
            seen["last"] = outcome and outcome["kind"]
        waited = poll.Wait(id=first["id"])["operation"]
        seen["waited"] = waited["state"]
        seen["unknown"] = error_of(lambda: poll.Show(id="00000000-0000-0000-0000-000000000000"))
        seen["wrong"] = error_of(lambda: poll.Show(id="no id"))
        entries = poll.History()["entries"]
        seen["steps"] = [entry["step"] for entry in entries if entry["id"] == first["id"]]
        seen["events"] = len(events.Recent()["events"])
    with client.open("org.lvmwarden.Supervisor") as supervisor:
        seen["tree"] = supervisor.Tree()["root"]["name"]
    with client.open("org.lvmwarden.Metrics") as metrics:
        seen["eof"] = metrics.Get()["openmetrics"].endswith("# EOF\n")

print(json.dumps(plain(seen)))
