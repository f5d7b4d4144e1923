import Foundation

/// `pow` under a name that a file without Foundation can call.
func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
