package fakerelay

// JSON web tokens (RFC 7519, signed by HS256 as in RFC 7515 and 7518) in place of those of Microsoft Entra ID: the
// identity endpoint gives them, $cbs takes them. Left out on purpose: tenants, roles, the claims nbf and iss, and the
// real service's RS256 keys, so that a token that was meant for Azure is refused here.

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"passback/clock"
)

// DevelopmentTokenKey signs and verifies the JSON web tokens of every namespace of this package, by HS256 over its
// bytes as they are. It is the same everywhere, so that a namespace takes the tokens of another's identity endpoint, as
// two namespaces in Azure trust one tenant. It is for development: everybody may know it, and it protects nothing.
const DevelopmentTokenKey = "passback development token key: it protects nothing"

const (
	serviceBusAudience = "https://servicebus.azure.net"
	scopeSuffix        = "/.default" // of a scope: all that the resource offers
	tokenIssuer        = "urn:passback:development"
	tokenLife          = 24 * time.Hour // as App Service's
	tokenClient        = "7a0b7f3e-52a8-4f0c-9d0b-1c6f5b2f9e11"
)

// What a refused JSON web token is told, besides the texts of a refused signature. The tracking part follows.
const (
	textMalformedJWT     = "MalformedToken: The token is not a JSON web token as this namespace's identity endpoint gives it: %s."
	textInvalidRecipient = "InvalidAudience: The token is for '%s', not for '" + serviceBusAudience + "'."
)

// signJWT makes a token for an audience. It is good until the returned time.
func signJWT(audience string) (string, time.Time, error) {
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.HS256, Key: []byte(DevelopmentTokenKey)},
		(&jose.SignerOptions{}).WithType("JWT"),
	)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign a token: %w", err)
	}
	now := clock.Real().Now()
	claims := jwt.Claims{
		Issuer: tokenIssuer, Subject: tokenClient, Audience: jwt.Audience{audience},
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(tokenLife)),
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign a token: %w", err)
	}
	return token, claims.Expiry.Time(), nil
}

// verifyJWT checks signature, expiry on package time, and audience. A token is not bound to an entity: it allows
// everything on the path that it is put for.
func verifyJWT(token, path string) (grant, error) {
	malformed := func(why string) (grant, error) {
		return grant{}, &tokenError{fmt.Sprintf(textMalformedJWT, why)}
	}
	if len(token) > maxToken {
		return malformed(fmt.Sprintf("it has more than %d bytes", maxToken))
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		return malformed("it must be in the compact form and signed by HS256")
	}
	var claims jwt.Claims
	if err := parsed.Claims([]byte(DevelopmentTokenKey), &claims); errors.Is(err, jose.ErrCryptoFailure) {
		return grant{}, &tokenError{textInvalidSignature}
	} else if err != nil || claims.Expiry == nil {
		return malformed("its claims must be a JSON object with aud and exp")
	}
	expires := claims.Expiry.Time().UTC()
	switch {
	case !clock.Real().Now().Before(expires):
		return grant{}, &tokenError{fmt.Sprintf(textExpiredToken, expires.Format(time.RFC1123))}
	case !forServiceBus(claims.Audience):
		return grant{}, &tokenError{fmt.Sprintf(textInvalidRecipient, strings.Join(claims.Audience, ", "))}
	}
	return grant{path: foldPath(path), rights: Manage | Send | Listen, expires: expires}, nil
}

// forServiceBus takes the resource in each form that SDKs ask for it in: with slashes at the end, or as a scope.
func forServiceBus(audience jwt.Audience) bool {
	for _, one := range audience {
		if strings.EqualFold(strings.TrimRight(strings.TrimSuffix(one, scopeSuffix), "/"), serviceBusAudience) {
			return true
		}
	}
	return false
}
