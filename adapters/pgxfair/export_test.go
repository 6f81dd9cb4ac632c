package pgxfair

const AMoment = aMoment
