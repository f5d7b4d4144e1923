import Foundation
import RegimeDetection
import TestSupport
import TradingTypes

/// Series drawn from a hidden Markov model, the same for the same seed.
struct SimulatedMarkov {
  private var random: SplitMix64
  private let model: HiddenMarkovModel
  private var state: Int?

  init(_ model: HiddenMarkovModel, seed: UInt64) {
    self.model = model
    random = SplitMix64(seed: seed)
  }

  /// A standard normal number: Box and Muller.
  private mutating func normal() -> Double {
    let radius = (-2 * Foundation.log(1 - random.unit())).squareRoot()
    return radius * Foundation.cos(2 * .pi * random.unit())
  }

  private mutating func draw(_ distribution: [Double]) -> Int {
    var rest = random.unit()
    for (place, share) in distribution.enumerated() {
      rest -= share
      if rest < 0 { return place }
    }
    return distribution.count - 1
  }

  /// The next observation's state and values, independent within the state.
  mutating func next() -> (state: Int, values: [Double]) {
    let now = draw(state.map { model.transition[$0] } ?? model.start)
    state = now
    let values = (0..<model.dimensionCount).map { place in
      model.means[now][place] + model.variance(state: now, dimension: place).squareRoot() * normal()
    }
    return (now, values)
  }

  /// The first dimension of `count` observations.
  mutating func returns(_ count: Int) -> [Double] { (0..<count).map { _ in next().values[0] } }
}
