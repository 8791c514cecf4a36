package targets

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"passback/clock"
	"passback/scenarios"
	"passback/sim/graph"
	"passback/writeback/protocol"
)

// An administrator's reset through Microsoft Graph, over HTTP as a program does it: accepted with 202 and Location, then
// polled until the operation has ended (authenticationmethod-resetpassword.md, longrunningoperation-get.md).

const (
	maxBody   = 1 << 20
	pollEvery = 20 * time.Millisecond
)

func (t *target) graphReset(ctx context.Context, a scenarios.Ask) (scenarios.Answer, error) {
	ready := t.world.ReadyFile()
	url := ready.Graph + "/v1.0/users/" + a.User.CloudID + "/authentication/methods/" + graph.PasswordMethodID + "/resetPassword"
	body, err := json.Marshal(map[string]string{"newPassword": a.New.Reveal()})
	if err != nil {
		return scenarios.Answer{}, fmt.Errorf("ask Graph: %w", err)
	}
	status, header, text, err := graphCall(ctx, http.MethodPost, url, ready.Tokens["admin"], body)
	if err != nil {
		return scenarios.Answer{}, err
	}
	if status != http.StatusAccepted {
		return scenarios.Answer{}, fmt.Errorf("resetPassword was answered %d: %.200s", status, text)
	}
	return awaitOperation(ctx, header.Get("Location"), ready.Tokens["admin"])
}

// awaitOperation polls. What the operation tells of an outcome is its status, and the word before the first colon of its
// detail; its id is the tracking id.
func awaitOperation(ctx context.Context, url, token string) (scenarios.Answer, error) {
	for {
		status, _, text, err := graphCall(ctx, http.MethodGet, url, token, nil)
		if err != nil {
			return scenarios.Answer{}, err
		}
		var operation struct{ ID, Status, StatusDetail string }
		if err := json.Unmarshal(text, &operation); err != nil || status != http.StatusOK {
			return scenarios.Answer{}, fmt.Errorf("a poll of the operation %s was answered %d: %.200s", path.Base(url), status, text)
		}
		a := scenarios.Answer{TrackingID: protocol.TrackingID(operation.ID), Text: operation.StatusDetail}
		outcome, _, _ := strings.Cut(operation.StatusDetail, ":")
		switch operation.Status {
		case "succeeded":
			a.Outcome, a.Changed = protocol.Success, protocol.ChangedYes
			return a, nil
		case "failed":
			a.Outcome, a.Changed = protocol.Outcome(outcome), protocol.ChangedNo
			return a, nil
		case "unknownFutureValue":
			a.Outcome, a.Changed = protocol.Outcome(outcome), protocol.ChangedMaybe
			return a, nil
		}
		if err := clock.Sleep(ctx, clock.Real(), pollEvery); err != nil {
			return a, fmt.Errorf("poll the operation %s: %w", operation.ID, err)
		}
	}
}

func graphCall(ctx context.Context, method, url, token string, body []byte) (status int, header http.Header, text []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, fmt.Errorf("ask Graph: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, nil, fmt.Errorf("ask Graph: %w", err)
	}
	defer answer.Body.Close()
	if text, err = io.ReadAll(io.LimitReader(answer.Body, maxBody)); err != nil {
		return 0, nil, nil, fmt.Errorf("read Graph's answer: %w", err)
	}
	return answer.StatusCode, answer.Header, text, nil
}
