import LockFreeRings
import ModelImport
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: what the built-in ensemble does not have is right too: links with a scale, averaged forests, further instruments,
// another catalogue. Method: small random models, the answer worked out beside them.
struct EnsembleEdgeTests {
  @Test func `the scale of a link and the divisor of an averaged forest reach logit, probability and stack`() throws {
    var models = EnsembleModels(seed: 31)
    var forest = models.forest(88)
    forest.link = .logistic(scale: 2)
    forest.divisor = 5
    let row = models.rows(1, features: 88, missingOneIn: 0)[0]
    let raw = forest.rawReference(row)[0]
    var stack = models.forest(1, trees: 3, leaves: 4)
    stack.link = .logistic(scale: 3)
    stack.divisor = 4
    var model = EnsembleModel(
      features: EnsembleModels.slots, members: [EnsembleModel.Member(name: "a", kind: .forest(forest))])
    let single = ModelPredictor(model).prediction([row])
    #expect(single.scores == [raw] && single.predictions == [DeterministicMath.sigmoid(2 * (raw / 5))])
    model.combiner = CombinerValues(averageWeights: [1], stack: .forest(stack))
    let full = model.overSlots
    var ensemble = Ensemble(full, in: arena(for: full))
    let logits = ensemble.memberLogits(EnsembleModels.vector(row))
    #expect(logits?.logits[0] == raw * (2.0 / 5))
    let forecast = ensemble.forecast(EnsembleModels.vector(row))
    let meta = stack.rawReference([Float(raw * (2.0 / 5))])[0] * (3.0 / 4)
    #expect(forecast.probabilityUp == DeterministicMath.sigmoid(0.6 * meta + 0.4 * (raw * (2.0 / 5))))
  }

  @Test func `emptying the window of one instrument leaves those of the others`() throws {
    var models = EnsembleModels(seed: 32)
    let model = models.model(window: 3).overSlots
    var ensemble = Ensemble(model, instrumentCount: 3, in: arena(for: model, instruments: 3))
    let vectors = models.rows(4, features: 88, missingOneIn: 0).map(EnsembleModels.vector)
    for instrument in 0..<3 {
      ensemble.close(vectors[0], of: instrument)
      ensemble.close(vectors[1], of: instrument)
    }
    ensemble.close(vectors[3], of: 1, isFirst: true)
    var bad = vectors[0]
    bad.values[5] = .nan
    ensemble.close(bad, of: 2)
    for (instrument, members) in [(0, UInt32(0b1111)), (1, 0b0111), (2, 0b0111)] {
      let forecast = ensemble.forecast(vectors[2], of: instrument)
      #expect(forecast.members == members, "instrument \(instrument)")
    }
  }

  @Test func `features named by another catalogue are refused`() throws {
    var models = EnsembleModels(seed: 33)
    let model = EnsembleModel(
      features: ["mid", "spread"], members: [EnsembleModel.Member(name: "m", kind: .forest(models.forest(2)))],
      metadata: ["name": "m"])
    var bytes = try ArtifactWriter.freeze(model, golden: models.rows(2, features: 2))
    _ = try ModelArtifact(bytes: bytes).onSlots()
    bytes[36] ^= 1
    let other = try ModelArtifact(bytes: ArtifactTests.sealed(bytes), name: "m")
    let error = #expect(throws: ArtifactError.self) { try other.onSlots() }
    #expect(error?.expected.hasPrefix("the feature catalogue \(hexadecimal(FeatureSlot.schemaHash)), not ") == true)
  }

  // Goal: the engine and the tool say the same of a model that nothing is joined with. Method: bits, over many logits.
  @Test func `a single model's probability in the engine is the predictor's`() throws {
    var models = EnsembleModels(seed: 34)
    let model = EnsembleModel(
      features: EnsembleModels.slots,
      members: [EnsembleModel.Member(name: "a", kind: .forest(models.forest(88, trees: 9)))])
    let predictor = ModelPredictor(model)
    let full = model.overSlots
    var ensemble = Ensemble(full, in: arena(for: full))
    for row in models.rows(300, features: 88) {
      let forecast = ensemble.forecast(EnsembleModels.vector(row))
      #expect(forecast.probabilityUp == predictor.prediction([row]).predictions[0])
    }
  }
}
