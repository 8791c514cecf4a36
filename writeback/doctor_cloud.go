package writeback

// doctor's group cloud: enrolment. The agent renews as it does daily, and keeps nothing of the answer.

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"passback/writeback/protocol"
)

type cloudView struct {
	*examination
	skew time.Duration
}

var cloudChecks = []check[*cloudView]{
	{name: "enrolment", vital: true, look: (*cloudView).renewal},
	{name: "mode", look: (*cloudView).mode},
	{name: "clock", look: (*cloudView).clock},
}

func (x *examination) examineCloud(ctx context.Context) {
	examine(ctx, x, "cloud", x.config.Cloud, &cloudView{examination: x}, cloudChecks)
}

func (v *cloudView) renewal(ctx context.Context) finding {
	e := enroller{cloud: v.cloud, keys: v.keys, config: v.config}
	request := e.request(v.keys.signer().Public(), protocol.Secret{}, v.enrolled.AgentID)
	sealed, skew, err := e.ask(ctx, request)
	if err == nil {
		v.skew = skew
		var r protocol.EnrolResponse
		if r, err = e.open(request, sealed); err == nil {
			v.enrolled = r
			return fine("the cloud knows this agent, %s", v.way())
		}
	}
	if refused, ok := errors.AsType[*protocol.EnrolError](err); ok && refused.Code == protocol.EnrolUnknownAgent {
		return failure(err.Error(), "Enrol this host again with a new one-time token.")
	}
	return failure(err.Error(), "Let "+v.config.Cloud+" through on port 443 ("+v.way()+"); where a firewall opens TLS, name its authority in cloud_ca_file.")
}

// way names the proxy, without a password that its URL may hold.
func (v *cloudView) way() string {
	proxy := v.cloud.proxy
	if proxy == nil {
		r, err := http.NewRequest(http.MethodPost, v.config.Cloud, http.NoBody)
		if err == nil {
			proxy, err = http.ProxyFromEnvironment(r)
		}
		if err != nil || proxy == nil {
			return "asked directly"
		}
	}
	return "asked through the proxy " + proxy.Host
}

func (v *cloudView) mode(context.Context) finding {
	switch {
	case v.enrolled.Mode == protocol.Active:
		return fine("active")
	case v.enrolled.Reason == "":
		return fine("staging, as configured: this agent takes no requests")
	}
	return warning("staging: "+v.enrolled.Reason, "This agent takes no requests. Agents of a tenant are interchangeable: configure every domain of it.")
}

func (v *cloudView) clock(context.Context) finding { return skewFinding(v.skew) }

func skewFinding(skew time.Duration) finding {
	if skew.Abs() > protocol.MaxClockSkew {
		return failure(fmt.Sprintf("%+.1f s", skew.Seconds()), fmt.Sprintf("Synchronise this host's clock; beyond %s the agent takes no requests.", protocol.MaxClockSkew))
	}
	return fine("%+.1f s", skew.Seconds())
}
