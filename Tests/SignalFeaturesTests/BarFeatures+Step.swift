@testable import SignalFeatures

extension BarFeatures {
  /// A bar with its slots.
  mutating func step(_ bar: ClosedBar) {
    collect(bar)
    evaluate()
  }
}
