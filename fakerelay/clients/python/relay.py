"""The relay under test, as its ready file tells of it."""
import json
import os
import uuid
from types import SimpleNamespace

with open(os.environ["PASSBACK_READY_FILE"]) as file:
    ready = json.load(file)

CA = ready["ca_file"]


def parse(connection_string):
    fields = dict(part.split("=", 1) for part in connection_string.strip(";").split(";"))
    host, port = fields["Endpoint"].replace("sb://", "").strip("/").split(":")
    return SimpleNamespace(
        host=host, port=int(port), key_name=fields["SharedAccessKeyName"], key=fields["SharedAccessKey"])


plain = parse(ready["relay"]["amqp"])
tls = parse(ready["relay"]["amqps"])


def fresh(what):
    """A name that no other test uses."""
    return f"{what}-{uuid.uuid4().hex[:8]}"
