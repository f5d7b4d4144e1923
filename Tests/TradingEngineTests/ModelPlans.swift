import TestSupport
import TradingEngine
import TradingTypes

/// Seeded changes of models, and plans that repeat recorded ones.
enum ModelPlans {
  // Made once: each of them comes and goes many times.
  static let models = [1, 6, 12, 5].enumerated().map { ModelDeskModels.model(UInt64($0), window: $1) }

  /// The model that `swap` tells of, made again.
  static func model(_ swap: ModelSwap, instruments: Int) -> DeskModel {
    DeskModel(models[Int(swap.model - 1)], id: swap.model, instrumentCount: instruments)
  }

  static func plan(_ swaps: [ModelSwap], instruments: Int) -> SwapPlan {
    SwapPlan(repeating: swaps) { model($0, instruments: instruments) }
  }

  static func change(_ random: inout SplitMix64, instruments: Int) -> ModelChange {
    let place = ModelPlace.allCases[random.below(3)]
    if place != .champion, random.below(3) == 0 { return place == .challenger ? .endChallenger() : .endShadow() }
    let swap = ModelSwap(sequence: 0, time: .distantPast, place: place, model: UInt64(1 + random.below(models.count)))
    let model = model(swap, instruments: instruments)
    switch place {
    case .champion: return .champion(model)
    case .challenger: return .challenger(model, ChallengerSplit(challengerBucketCount: 5_000))
    case .shadow: return .shadow(model)
    }
  }
}
