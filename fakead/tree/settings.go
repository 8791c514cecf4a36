package tree

// The constraints on fine-grained password policies, objects of class msDS-PasswordSettings (MS-SAMR 3.1.1.6 for
// the same values of a domain, MS-ADTS 3.1.1.5.3.1.2). Spans are negative: the longer one is the smaller number.

import "strconv"

// limitsOfSettings are the attributes whose ranges answer as an illegal setting, and not as any other range.
var limitsOfSettings = map[string]bool{
	"msDS-LockoutDuration": true, "msDS-LockoutObservationWindow": true, "msDS-LockoutThreshold": true, "msDS-MaximumPasswordAge": true,
	"msDS-MinimumPasswordAge": true, "msDS-MinimumPasswordLength": true, "msDS-PasswordHistoryLength": true, "msDS-PasswordSettingsPrecedence": true,
}

// maxHistory is the longest history that a policy can ask for; the schema's range is wider.
const maxHistory = 1024

// outOfRange is the refusal of a value beyond rangeLower and rangeUpper.
func outOfRange(a *Attribute) *Error {
	if limitsOfSettings[a.Name] {
		return errIllegalSettings.about(a)
	}
	return errRange.about(a)
}

// judgeSettings compares the values of a password settings object with each other.
func (p *Plan) judgeSettings() error {
	if !p.entry.IsA("msDS-PasswordSettings") {
		return nil
	}
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(p.First(name), 10, 64)
		return n
	}
	switch {
	case number("msDS-LockoutObservationWindow") < number("msDS-LockoutDuration"):
		return errIllegalSettings.about(mustAttribute("msDS-LockoutObservationWindow"))
	case number("msDS-MinimumPasswordAge") < number("msDS-MaximumPasswordAge"):
		return errIllegalSettings.about(mustAttribute("msDS-MinimumPasswordAge"))
	case number("msDS-PasswordHistoryLength") > maxHistory:
		return errIllegalSettings.about(mustAttribute("msDS-PasswordHistoryLength"))
	default:
		return nil
	}
}

// judgeHeuristics: every tenth character of dSHeuristics counts the tens, so that a length is plain to see
// (MS-ADTS 6.1.1.2.4.1.2).
func (p *Plan) judgeHeuristics() error {
	value := p.First("dSHeuristics")
	for tens := 1; tens < 10 && len(value) >= 10*tens; tens++ {
		if value[10*tens-1] != byte('0'+tens) {
			return errHeuristics.about(mustAttribute("dSHeuristics"))
		}
	}
	return nil
}
