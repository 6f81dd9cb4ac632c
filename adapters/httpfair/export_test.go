package httpfair

// RetryAfter is what a response says.
var RetryAfter = retryAfter
