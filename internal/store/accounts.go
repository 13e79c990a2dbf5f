package store

import "context"

// CreateAccount adds an account and sets its ID. A name in use is ErrTaken.
func (db *DB) CreateAccount(ctx context.Context, a *Account) error {
	_, err := db.idb.NewInsert().Model(a).Exec(ctx)
	return wrap(err, "create account %q", a.Name)
}

// Account is the account with that id.
func (db *DB) Account(ctx context.Context, id int64) (*Account, error) {
	a := new(Account)
	err := db.idb.NewSelect().Model(a).Where("id = ?", id).Scan(ctx)
	if err != nil {
		return nil, wrap(err, "account %d", id)
	}
	return a, nil
}

// AccountByName is the account with that name.
func (db *DB) AccountByName(ctx context.Context, name string) (*Account, error) {
	a := new(Account)
	err := db.idb.NewSelect().Model(a).Where("name = ?", text(name)).Scan(ctx)
	if err != nil {
		return nil, wrap(err, "account %q", name)
	}
	return a, nil
}

// Accounts lists all accounts by id.
func (db *DB) Accounts(ctx context.Context) ([]Account, error) {
	var list []Account
	err := db.idb.NewSelect().Model(&list).Order("id").Scan(ctx)
	return list, wrap(err, "accounts")
}

// UpdateAccount writes every column of an account.
func (db *DB) UpdateAccount(ctx context.Context, a *Account) error {
	err := one(db.idb.NewUpdate().Model(a).WherePK().Exec(ctx))
	return wrap(err, "update account %d", a.ID)
}

// InsertKey adds an access key and sets its ID. A SecretID in use is ErrTaken.
func (db *DB) InsertKey(ctx context.Context, k *AccessKey) error {
	_, err := db.idb.NewInsert().Model(k).Exec(ctx)
	return wrap(err, "insert key %q", k.SecretID)
}

// KeyBySecretID is the key with that SecretID, disabled or not.
func (db *DB) KeyBySecretID(ctx context.Context, secretID string) (*AccessKey, error) {
	k := new(AccessKey)
	err := db.idb.NewSelect().Model(k).Where("secret_id = ?", text(secretID)).Scan(ctx)
	if err != nil {
		return nil, wrap(err, "key %q", secretID)
	}
	return k, nil
}

// Keys lists the keys of an account by id.
func (db *DB) Keys(ctx context.Context, accountID int64) ([]AccessKey, error) {
	var list []AccessKey
	err := db.idb.NewSelect().Model(&list).Where("account_id = ?", accountID).Order("id").Scan(ctx)
	return list, wrap(err, "keys of account %d", accountID)
}

// SetKeyDisabled switches a key off or on.
func (db *DB) SetKeyDisabled(ctx context.Context, secretID string, disabled bool) error {
	err := one(db.idb.NewUpdate().Model((*AccessKey)(nil)).
		Set("disabled = ?", disabled).Where("secret_id = ?", text(secretID)).Exec(ctx))
	return wrap(err, "switch key %q", secretID)
}

// InsertUser adds a console user and sets its ID. A name in use is ErrTaken.
func (db *DB) InsertUser(ctx context.Context, u *User) error {
	_, err := db.idb.NewInsert().Model(u).Exec(ctx)
	return wrap(err, "insert user %q", u.Name)
}

// UserByName is the console user with that name, disabled or not.
func (db *DB) UserByName(ctx context.Context, name string) (*User, error) {
	u := new(User)
	err := db.idb.NewSelect().Model(u).Where("name = ?", text(name)).Scan(ctx)
	if err != nil {
		return nil, wrap(err, "user %q", name)
	}
	return u, nil
}

// Users lists the console users of an account by name.
func (db *DB) Users(ctx context.Context, accountID int64) ([]User, error) {
	var list []User
	err := db.idb.NewSelect().Model(&list).Where("account_id = ?", accountID).Order("name").Scan(ctx)
	return list, wrap(err, "users of account %d", accountID)
}

// SetUserPassword replaces the password hash of a user.
func (db *DB) SetUserPassword(ctx context.Context, name, hash string) error {
	err := one(db.idb.NewUpdate().Model((*User)(nil)).
		Set("password_hash = ?", hash).Where("name = ?", text(name)).Exec(ctx))
	return wrap(err, "set password of user %q", name)
}

// SetUserDisabled switches a user off or on.
func (db *DB) SetUserDisabled(ctx context.Context, name string, disabled bool) error {
	err := one(db.idb.NewUpdate().Model((*User)(nil)).
		Set("disabled = ?", disabled).Where("name = ?", text(name)).Exec(ctx))
	return wrap(err, "switch user %q", name)
}
