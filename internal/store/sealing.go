package store

import "strconv"

// PasswordContext is what SealedPassword is sealed with: a password cannot be
// opened as anything else, nor in another account.
func (r *Registry) PasswordContext() string {
	return "registry password of account " + strconv.FormatInt(r.AccountID, 10)
}

// TokenContext is what SealedToken is sealed with.
func (r *Registry) TokenContext() string {
	return "webhook token of account " + strconv.FormatInt(r.AccountID, 10)
}
