package tcss

import (
	"errors"
	"fmt"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/registry"
)

// failureText is why a connection test failed, for people. The Chinese text says
// what to look at and keeps the registry room's own words as detail.
func failureText(caller cloudapi.Caller, err, late error) string {
	reason, solution := err.Error(), ""
	var f *registry.Failure
	switch {
	case errors.As(err, &f):
		reason, solution = f.Reason, f.Solution
	case late != nil:
		reason, solution = fmt.Sprintf("the registry did not answer within %s", checkLimit), "check address and network"
	}
	if caller.Language == "zh-CN" {
		return failureZh(registry.KindOf(err), late != nil) + "（" + reason + "）"
	}
	if solution == "" {
		return reason
	}
	return reason + "; " + solution
}

// failureZh is a kind of failure with the advice for it, in Chinese.
func failureZh(kind registry.Kind, late bool) string {
	switch kind {
	case registry.KindNetwork:
		return "无法连接镜像仓库，请检查地址和网络"
	case registry.KindAuth:
		return "用户名或密码错误，请检查后重试"
	case registry.KindCert:
		return "TLS证书校验失败，请检查证书和协议"
	case registry.KindNotRegistry, registry.KindNotFound, registry.KindUnsupported:
		return "该地址不是所选类型的镜像仓库，请检查地址和仓库类型"
	case registry.KindDenied, registry.KindCatalogue:
		return "账号权限不足，请授予列出和拉取镜像的权限"
	case registry.KindRateLimited:
		return "镜像仓库限制了请求频率，请稍后重试"
	case registry.KindForbiddenAddress:
		return "服务器不允许访问该地址"
	}
	if late {
		return "镜像仓库响应超时，请检查地址和网络"
	}
	return "镜像仓库返回错误，请稍后重试"
}
