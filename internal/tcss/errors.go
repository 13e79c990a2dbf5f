package tcss

import (
	"errors"
	"fmt"
	"strings"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/scan"
	"dogwatch/internal/store"
)

// Codes of the actions.
const (
	codeAuthFailure     = "AuthFailure"
	codeFailed          = "FailedOperation"
	codeAlreadyScanning = "FailedOperation.ErrAlreadyScanning"
	codeNotEnough       = "FailedOperation.AuthorizedNotEnough"
	codeNotCorrect      = "FailedOperation.DataValueNotCorrect"
	codeInternal        = "InternalError"
	codeMainDB          = "InternalError.MainDBFail"
	codeInvalid         = "InvalidParameter"
	codeInvalidFormat   = "InvalidParameter.InvalidFormat"
	codeInvalidMissing  = "InvalidParameter.MissingParameter"
	codeInvalidParsing  = "InvalidParameter.ParsingError"
	codeInvalidTimeout  = "InvalidParameter.RequestTimeout"
	codeInvalidValue    = "InvalidParameterValue"
	codeMissing         = "MissingParameter"
	codeNotFound        = "ResourceNotFound"
)

// badValue is a parameter of the right type whose value does not do.
func badValue(name, value, en, zh string) error {
	return cloudapi.NewError(codeInvalidValue,
		"The value %[2]q of the parameter `%[1]s` is invalid: "+en+".",
		"参数`%[1]s`的值%[2]q无效："+zh+"。", name, cloudapi.Shorten(value))
}

// badAddress is a badValue that may hold a user and a password: what stands
// before an @ is not repeated.
func badAddress(name, address, en, zh string) error {
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		address = "..." + address[at:]
	}
	return badValue(name, address, en, zh)
}

// noSuch is an id that the account does not have.
func noSuch(en, zh string, id any) error {
	return cloudapi.NewError(codeNotFound, "The "+en+" `%s` does not exist.", zh+"`%s`不存在。",
		cloudapi.Shorten(fmt.Sprint(id)))
}

func noImage(id any) error    { return noSuch("image", "镜像", id) }
func noRegistry(id any) error { return noSuch("registry", "镜像仓库", id) }
func noTask(id any) error     { return noSuch("scan task", "扫描任务", id) }

// nothingChosen is a request that names none of the parameters that choose.
func nothingChosen(names string) error {
	return cloudapi.NewError(codeInvalid,
		"Nothing is chosen: give one of %s.", "未指定对象，请至少提供以下参数之一：%s。", names)
}

// notFoundAs turns the store's "not found" into the given answer and names the
// operation in any other error.
func notFoundAs(err, answer error, format string, args ...any) error {
	if errors.Is(err, store.ErrNotFound) {
		return answer
	}
	return fmt.Errorf("tcss: "+format+": %w", append(args, err)...)
}

// scanRefused turns the answers of the scan room into errors of the API.
func scanRefused(err error) error {
	switch {
	case errors.Is(err, scan.ErrNothing):
		return cloudapi.NewError(codeFailed,
			"No licensed image matches. License the images first (ModifyImageAuthorized).",
			"没有符合条件的已授权镜像，请先授权镜像（ModifyImageAuthorized）。")
	case errors.Is(err, scan.ErrQuota):
		return cloudapi.NewError(codeFailed,
			"The scan quota of this month does not cover the images.", "本月扫描额度不足以扫描所选镜像。")
	case errors.Is(err, scan.ErrAlreadyScanning):
		return cloudapi.NewError(codeAlreadyScanning,
			"All of these images are being scanned already.", "所选镜像均已在扫描中。")
	}
	return fmt.Errorf("tcss: starting a scan: %w", err)
}
