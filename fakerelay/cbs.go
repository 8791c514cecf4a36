package fakerelay

// Claims-based security (OASIS AMQP CBS, working draft 1; reference of the service: "AMQP 1.0 in Azure Service
// Bus protocol guide", Claims-based authorization). put-token only: the SDKs never delete a token.

import (
	"errors"
	"fmt"

	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
)

const (
	sasTokenType = "servicebus.windows.net:sastoken"
	jwtTokenType = "jwt"
	accepted     = 202

	textSecondCBS     = "A link to connection '%d' $cbs node has already been opened."
	textTokenType     = "The token type '%s' is not supported in this version of the namespace; use '%s' or '%s'."
	textTooManyTokens = "The connection holds tokens for %d entities, which is the most it may."
	textPutToken      = "The request must carry the operation 'put-token', a type, a name and a token."
)

// attachCBS lets a connection have one link to $cbs and one from it; the SDKs count on a second being refused.
func (c *connection) attachCBS(r *amqp.AttachRequest, sends bool) {
	taken := &c.cbsAnswer
	if sends {
		taken = &c.cbsSend
	}
	c.mu.Lock()
	refused := *taken
	*taken = true
	c.mu.Unlock()
	if refused {
		r.Refuse(amqp.Errorf(amqp.CondNotAllowed, textSecondCBS+"%s", c.number, tracking(cbsNode)))
		return
	}
	free := func() {
		c.mu.Lock()
		*taken = false
		c.mu.Unlock()
	}
	if !sends {
		c.attachReply(r, cbsNode, free)
		return
	}
	_, err := r.AcceptReceiver(amqp.ReceiverOptions{
		OnTransfer: c.putToken,
		OnClosed:   func(*amqp.Receiver, *amqp.Error) { free() },
	})
	if err != nil {
		free()
	}
}

// tokenTypes are those that put-token takes, with who verifies them.
var tokenTypes = map[string]func(keys *keyring, token, path string) (grant, error){
	sasTokenType: (*keyring).verifySAS,
	jwtTokenType: func(_ *keyring, token, path string) (grant, error) { return verifyJWT(token, path) },
}

// A cbsStatus is the answer to a put-token.
type cbsStatus struct {
	code      int32
	condition amqp.Symbol // "": success
	text      string
}

func (c *connection) putToken(d *amqp.Delivery) {
	audience, _ := amqp.Lookup[string](d.Message.ApplicationProperties, "name")
	path, err := audiencePath(audience)
	if err != nil {
		path = "" // which is told when the token is judged
	}
	s := &step{
		Event: Event{Kind: PutToken, Entity: path}, detach: d.Receiver().Detach,
		refuse: func(r refusal) { c.answerToken(d, cbsStatus{r.status, r.condition, r.text}) },
	}
	c.consult(s, func() { c.answerToken(d, c.judgeToken(d.Message)) })
}

func (c *connection) answerToken(d *amqp.Delivery, status cbsStatus) {
	properties := amqp.Map{{Key: "status-code", Value: status.code}, {Key: "status-description", Value: status.text}}
	if status.condition != "" {
		properties = properties.With("error-condition", status.condition)
		c.log.Info("token refused", "status", status.code, "why", status.text)
	}
	c.answer(d, cbsNode, &amqp.Message{ApplicationProperties: properties, Value: &amqp.Value{}})
}

// judgeToken verifies first and looks for the entity then, so that nobody without a key learns what exists.
func (c *connection) judgeToken(m *amqp.Message) cbsStatus {
	operation, _ := amqp.Lookup[string](m.ApplicationProperties, "operation")
	kind, _ := amqp.Lookup[string](m.ApplicationProperties, "type")
	audience, _ := amqp.Lookup[string](m.ApplicationProperties, "name")
	token, ok := "", false
	if m.Value != nil {
		token, ok = m.Value.V.(string)
	}
	path, err := audiencePath(audience)
	verify, known := tokenTypes[kind]
	switch {
	case operation != "put-token" || !ok || kind == "" || audience == "" || err != nil:
		return cbsStatus{400, condArgumentError, textPutToken + tracking(cbsNode)}
	case !known:
		return cbsStatus{401, condAuthorizationFailed, fmt.Sprintf(textTokenType, kind, sasTokenType, jwtTokenType) + tracking(path)}
	}
	granted, err := verify(&c.ns.keys, token, path)
	if err != nil {
		var refused *tokenError
		if !errors.As(err, &refused) {
			return cbsStatus{500, amqp.CondInternalError, "The token could not be verified." + tracking(path)}
		}
		return cbsStatus{401, condAuthorizationFailed, refused.text + tracking("NoSystemTracker")}
	}
	entity, _ := cutManagement(path)
	if _, err := c.ns.broker().Node(entity); errors.Is(err, broker.ErrNotFound) && entity != "" {
		return cbsStatus{404, condEntityNotFound, fmt.Sprintf(textEntityNotFound, c.host(), entity) + tracking(entity)}
	}
	if !c.hold(granted) {
		return cbsStatus{403, amqp.CondResourceLimitExceeded, fmt.Sprintf(textTooManyTokens, maxGrants) + tracking(path)}
	}
	return cbsStatus{accepted, "", "Accepted"}
}
