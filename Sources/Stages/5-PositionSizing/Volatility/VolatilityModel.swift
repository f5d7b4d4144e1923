/// How the variance of the next return follows from the last return and variance; `e = r − μ`, `z = e / √h`.
@frozen public enum VolatilityModel: UInt8, CaseIterable, Hashable, Sendable {
  /// `h' = ω + α·e² + β·h`.
  /// - Source: Bollerslev 1986, "Generalized autoregressive conditional heteroskedasticity", equation 5 with p = q = 1.
  case garch
  /// `h' = ω + (α + γ·[e < 0])·e² + β·h`: a fall weighs more than a rise.
  /// - Source: Glosten, Jagannathan & Runkle 1993, equation 4.
  case gjr
  /// `ln h' = ω + α·(|z| − √(2/π)) + γ·z + β·ln h`: no sign of a coefficient can make a variance negative.
  /// - Source: Nelson 1991, equations 2.1 and 2.2 of first order. √(2/π) stays under Student-t errors too.
  case egarch
}

/// What the standardised errors `z` of a fit are distributed like; the filter does not need it.
@frozen public enum ErrorDistribution: UInt8, CaseIterable, Hashable, Sendable {
  /// Standard normal. A fit is then a quasi maximum likelihood fit, consistent whatever the errors are.
  case normal
  /// Student's t with ν degrees of freedom in [2.05, 500], scaled to variance 1.
  /// - Source: Bollerslev 1987, equation 1.
  case studentT
}
