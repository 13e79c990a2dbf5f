// Package risk judges image configurations: who the image runs as, and what
// its environment and build history give away.
//
// Words:
//
//   - instruction: one step of the build as people write it, "ENV TOKEN=abc";
//     the wrapping that builders add is taken off.
//   - risk: a risky setting; its behaviour is 1 for privilege, 3 for credentials.
//   - masked: with every credential hidden but its first characters. Nothing
//     that leaves this package shows one in clear.
package risk

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"dogwatch/internal/facts"
)

// Revision is the version of the rules.
const Revision = "1"

// Rules, behaviours and the level of what is found.
const (
	RuleRoot    = "root-user"
	RuleEnv     = "credential-in-env"
	RuleHistory = "credential-in-history"

	behaviorPrivilege   = 1
	behaviorCredentials = 3
	levelHigh           = 3
)

// ImageConfig is the part of an image configuration that can be risky.
type ImageConfig struct {
	User       string
	Env        []string // "NAME=value"
	Entrypoint []string
	Cmd        []string
	Labels     map[string]string
	History    []History // oldest first
}

// History is one step of the build.
type History struct {
	Created    time.Time // zero if unknown
	CreatedBy  string    // the instruction
	Comment    string
	EmptyLayer bool
}

// ParseConfig reads an OCI or Docker image configuration.
func ParseConfig(data []byte) (*ImageConfig, error) {
	var doc struct {
		Config struct {
			User            string
			Env             []string
			Entrypoint, Cmd []string
			Labels          map[string]string
		} `json:"config"`
		History []struct {
			Created    *time.Time `json:"created"`
			CreatedBy  string     `json:"created_by"`
			Comment    string     `json:"comment"`
			EmptyLayer bool       `json:"empty_layer"`
		} `json:"history"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("risk: image configuration cannot be read: %w", err)
	}
	c := &ImageConfig{
		User: doc.Config.User, Env: doc.Config.Env, Entrypoint: doc.Config.Entrypoint, Cmd: doc.Config.Cmd, Labels: doc.Config.Labels,
	}
	for _, h := range doc.History {
		step := History{CreatedBy: h.CreatedBy, Comment: h.Comment, EmptyLayer: h.EmptyLayer}
		if h.Created != nil {
			step.Created = *h.Created
		}
		c.History = append(c.History, step)
	}
	return c, nil
}

// Config finds the risks of an image configuration. Values are masked.
func Config(c *ImageConfig) []facts.Risk {
	var risks []facts.Risk
	if r, ok := rootRisk(c); ok {
		risks = append(risks, r)
	}
	told := map[string]bool{} // variables that the history gave away
	for _, h := range c.History {
		text := Instruction(h.CreatedBy)
		spans := credentials(text)
		if len(spans) == 0 {
			continue
		}
		for _, s := range spans {
			told[s.name] = true
		}
		risks = append(risks, facts.Risk{
			Rule: RuleHistory, Behavior: behaviorCredentials, Level: levelHigh, At: h.Created,
			Desc: "credential in a build instruction", Instruction: mask(text, spans),
		})
	}
	return append(risks, envRisks(c, told)...)
}

// envRisks finds credentials in the environment that no instruction of the
// history shows.
func envRisks(c *ImageConfig, told map[string]bool) []facts.Risk {
	var risks []facts.Risk
	for _, variable := range c.Env {
		name, _, _ := strings.Cut(variable, "=")
		text := "ENV " + variable
		spans := credentials(text)
		if len(spans) == 0 || told[name] {
			continue
		}
		risks = append(risks, facts.Risk{
			Rule: RuleEnv, Behavior: behaviorCredentials, Level: levelHigh,
			Desc: "credential in an environment variable", Instruction: mask(text, spans),
		})
	}
	return risks
}

// rootRisk tells whether the image starts as root.
func rootRisk(c *ImageConfig) (facts.Risk, bool) {
	user, _, _ := strings.Cut(strings.TrimSpace(c.User), ":")
	if user != "" && user != "root" && strings.Trim(user, "0") != "" {
		return facts.Risk{}, false
	}
	r := facts.Risk{
		Rule: RuleRoot, Behavior: behaviorPrivilege, Level: levelHigh,
		Desc: "the image starts as root", Instruction: "USER " + c.User,
	}
	if c.User == "" {
		r.Desc, r.Instruction = "the image starts as root: it names no user", "USER root"
	}
	for _, h := range c.History {
		if !h.Created.IsZero() && (c.User == "" || strings.HasPrefix(Instruction(h.CreatedBy), "USER")) {
			r.At = h.Created
		}
	}
	return r, true
}

// MaskHistory renders the build history as the API shows it: for each step its
// time in loc, the instruction with its values masked, and an empty line.
func MaskHistory(c *ImageConfig, loc *time.Location) string {
	var b strings.Builder
	for _, h := range c.History {
		at := ""
		if !h.Created.IsZero() {
			at = h.Created.In(loc).Format(time.DateTime)
		}
		b.WriteString(at + "\n" + MaskInstruction(h.CreatedBy) + "\n\n")
	}
	return b.String()
}

// MaskInstruction hides the credentials of one build instruction, which may
// still be in its builder's wrapping.
func MaskInstruction(s string) string {
	text := Instruction(s)
	return mask(text, credentials(text))
}

// Instruction takes the wrapping of builders off an instruction:
// "/bin/sh -c #(nop) ENV A=b" is "ENV A=b", "/bin/sh -c make" is "RUN make".
func Instruction(createdBy string) string {
	s := strings.TrimSpace(createdBy)
	s = strings.TrimSpace(strings.TrimSuffix(s, "# buildkit"))
	for _, shell := range [...]string{"/bin/sh -c ", "/bin/bash -c ", "/bin/bash -o pipefail -c "} {
		rest, ok := strings.CutPrefix(s, shell)
		if !ok {
			continue
		}
		if rest, ok := strings.CutPrefix(strings.TrimSpace(rest), "#(nop)"); ok {
			return strings.TrimSpace(rest)
		}
		return "RUN " + strings.TrimSpace(rest)
	}
	return s
}
