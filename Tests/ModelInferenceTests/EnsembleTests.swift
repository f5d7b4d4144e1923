import BuiltinModels
import CAllocationCounter
import Foundation
import LockFreeRings
import ModelImport
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: the whole stage keeps its promises: same bits in every set and as the predictor gives over whole windows, missing
// members, no bad number, no allocation. Method: the ensemble the executables carry, and small random ones.
struct EnsembleTests {
  @Test func `the built-in ensemble holds the seven models of the design and is below a mebibyte`() throws {
    let artifact = try BuiltinModels.ensemble()
    #expect(artifact.byteCount < 1 << 20 && artifact.golden.answers.count >= 16)
    let model = artifact.model
    let forests = model.members.compactMap { member in
      if case .forest(let forest) = member.kind { return forest }
      return nil
    }
    #expect(forests.map(\.trees.count) == [100, 200, 100, 200, 100])
    guard case .network(let network) = model.members[5].kind, let quantised = network.quantised else {
      Issue.record("a network as the sixth member")
      return
    }
    #expect(model.members.count == 6 && quantised.window == 60)
    let hidden = quantised.operators.compactMap { step in
      if case .recurrent(let layer) = step { return layer.hidden }
      return nil
    }
    #expect(hidden == [128, 128])
    guard case .forest(let meta)? = model.combiner?.stack else {
      Issue.record("trees stacked on the members")
      return
    }
    #expect(meta.trees.count == 50)
  }

  @Test func `every set gives the golden bits of the built-in ensemble`() throws {
    let artifact = try BuiltinModels.ensemble()
    // Unoptimised, each set takes seconds.
    for set in countsAllocations ? KernelSet.supported : [.scalar] {
      #expect(artifact.golden.hold(in: artifact.model, kernels: set), "\(set)")
    }
  }

  // Goal: windows kept from bar to bar give what whole windows give. Method: random rows of two instruments closed in
  // turn, forecasts between them; the predictor gets the last rows whole.
  @Test(arguments: Seeds.brief, [true, false])
  func `forecasts over kept windows equal those over whole ones`(seed: UInt64, isLazy: Bool) throws {
    var models = EnsembleModels(seed: seed)
    let model = models.model(stacksTrees: seed % 2 == 0)
    let full = model.overSlots
    let predictor = ModelPredictor(model, kernels: .scalar)
    for set in KernelSet.supported {
      var ensemble = Ensemble(full, instrumentCount: 2, kernels: set, in: arena(for: full, instruments: 2))
      var closed: [[[Float]]] = [[], []]
      for row in models.rows(40, features: model.features.count) {
        let instrument = models.forests.random.below(2)
        let forecast = ensemble.forecast(EnsembleModels.vector(row), of: instrument)
        if closed[instrument].count >= model.window - 1 {
          let window = closed[instrument].suffix(model.window - 1) + [row]
          let whole = predictor.prediction(ArraySlice(Array(window))).forecast
          #expect(bits(forecast) == whole.map(bits), "seed \(seed), \(set)")
        } else {
          #expect(forecast.members & 0b1000 == 0, "the window is not full: its member does not take part")
        }
        ensemble.close(EnsembleModels.vector(row), of: instrument)
        closed[instrument].append(row)
        while !isLazy, ensemble.advance() {}
        for slice in 0..<ensemble.warmSliceCount where models.forests.random.below(3) == 0 { ensemble.warm(slice) }
      }
    }
  }

  private func bits(_ forecast: Forecast) -> [UInt64] {
    [forecast.probabilityUp.bitPattern, forecast.confidence.bitPattern, UInt64(forecast.members)]
  }

  @Test func `a first bar or a vector that is not finite empties the window`() throws {
    var models = EnsembleModels(seed: 8)
    let model = models.model(window: 3).overSlots
    var ensemble = Ensemble(model, in: arena(for: model))
    let vectors = models.rows(4, features: 88, missingOneIn: 0).map(EnsembleModels.vector)
    ensemble.close(vectors[0], of: 0)
    ensemble.close(vectors[1], of: 0)
    let whole = ensemble.forecast(vectors[2])
    #expect(whole.members == 0b1111)
    ensemble.close(vectors[3], of: 0, isFirst: true)
    let first = ensemble.forecast(vectors[2])
    #expect(first.members == 0b0111)
    ensemble.close(vectors[3], of: 0)
    let again = ensemble.forecast(vectors[2])
    #expect(again.members == 0b1111)
    var bad = vectors[0]
    bad.values[5] = .infinity
    ensemble.close(bad, of: 0)
    let none = ensemble.forecast(vectors[2])
    #expect(none.members == 0b0111)
  }

  @Test func `a member without a required slot drops out, and without any the forecast is unusable`() throws {
    var models = EnsembleModels(seed: 21)
    let members = [
      EnsembleModel.Member(name: "a", kind: .forest(models.forest(88)), required: [3]),
      EnsembleModel.Member(name: "b", kind: .forest(models.forest(88)), required: [70]),
    ]
    let model = EnsembleModel(
      features: EnsembleModels.slots, members: members,
      combiner: CombinerValues(averageWeights: [0.3, 0.7], stack: .logistic(weights: [1, 0.5], bias: 0.2))
    ).overSlots
    var ensemble = Ensemble(model, in: arena(for: model))
    var vector = EnsembleModels.vector(models.rows(1, features: 88, missingOneIn: 0)[0])
    let whole = ensemble.forecast(vector)
    #expect(whole.members == 0b11)
    vector.valid[3] = false
    let part = ensemble.forecast(vector)
    #expect(part.members == 0b10 && part.isUsable)
    let logit = ensemble.memberLogits(vector)!.logits[1]
    #expect(
      part.probabilityUp
        == DeterministicMath.sigmoid(0.6 * (0.2 + 0.5 * logit * (1.5 / 0.5)) + 0.4 * (0.7 * logit * (1 / 0.7))))
    vector.valid[70] = false
    let none = ensemble.forecast(vector)
    #expect(!none.isUsable && none.confidence == 0 && none.probabilityUp == 0.5)
    let counters = ensemble.counters
    #expect(counters.forecasts == 3 && counters.partial == 1 && counters.unusable == 1 && counters.notFinite == 0)
  }

  @Test(arguments: KernelSet.supported)
  func `a valid value that is not finite in single precision is counted and unusable`(set: KernelSet) throws {
    var models = EnsembleModels(seed: 4)
    let model = models.model(window: 1, inputs: [0]).overSlots
    var ensemble = Ensemble(model, kernels: set, in: arena(for: model))
    let sound = EnsembleModels.vector(models.rows(1, features: 88, missingOneIn: 0)[0])
    let bad: [Double] = [.nan, .infinity, -.infinity, 1e300, -1e39, .signalingNaN]
    for (number, value) in bad.enumerated() {
      for slot in [0, 7, 8, 63, 64, 87] {
        var vector = sound
        vector.values[slot] = value
        let forecast = ensemble.forecast(vector)
        #expect(!forecast.isUsable, "\(value) in slot \(slot)")
      }
      let counters = ensemble.counters
      #expect(counters.notFinite == UInt64(6 * (number + 1)))
    }
    var vector = sound
    vector.values[3] = Double(Float.greatestFiniteMagnitude)
    let large = ensemble.forecast(vector)
    #expect(large.isUsable)
    vector.values[4] = .nan
    vector.valid[4] = false
    let missing = ensemble.forecast(vector)
    #expect(missing.isUsable, "what is not valid is not read")
  }

  // Half way between two singles goes to the even one: the narrowing decides a tree here.
  @Test(arguments: KernelSet.supported)
  func `values are narrowed to the nearest single, ties to even`(set: KernelSet) {
    let forest = DecisionForest(
      featureCount: 96, columns: [DecisionForest.Column(feature: 2, sight: .thresholds([1], missing: .nan))],
      trees: [
        DecisionForest.Tree(
          nodes: [DecisionForest.Node(column: 0, test: 0, missingGoesRight: false, left: ~0, right: ~1)],
          leaves: [-1, 1])
      ], link: .logistic(scale: 1))
    let model = EnsembleModel(
      features: (0..<96).map { "f\($0)" }, members: [EnsembleModel.Member(name: "m", kind: .forest(forest))])
    var ensemble = Ensemble(model, kernels: set, in: arena(for: model))
    let step = Double(Float(1).ulp)
    for (value, isUp) in [(1.0, false), (1 + step / 2, false), (1 + step * 0.51, true), (1 + step, true)] {
      var vector = FeatureVector()
      vector.values[2] = value
      vector.valid[2] = true
      let forecast = ensemble.forecast(vector)
      #expect((forecast.probabilityUp > 0.5) == isUp, "\(value)")
    }
  }

  @Test func `the engine refuses features that are no slots, another catalogue, and what it cannot run`() throws {
    var models = EnsembleModels(seed: 5)
    func refusal(_ model: EnsembleModel, custom: [String] = []) throws -> String? {
      let rows = models.rows(model.window, features: model.features.count)
      let artifact = try ModelArtifact(bytes: ArtifactWriter.freeze(model, golden: rows), name: "m")
      do {
        _ = try artifact.onSlots(customNames: custom)
        return nil
      } catch { return error.expected }
    }
    func single(_ features: [String], _ kind: EnsembleModel.Member.Kind) -> EnsembleModel {
      EnsembleModel(
        features: features, members: [EnsembleModel.Member(name: "m", kind: kind)], metadata: ["name": "m"])
    }
    let named = single(["mid", "spread", "own"], .forest(models.forest(3)))
    #expect(try refusal(named)?.contains("own is none") == true)
    #expect(try refusal(named, custom: ["own"]) == nil)
    let eight = (0..<7).map { "own \($0)" } + ["own"]
    #expect(try refusal(named, custom: eight) == nil)
    #expect(try refusal(named, custom: eight + ["nine"]) == "at most 8 custom names, not 9")
    #expect(try refusal(named, custom: ["own", "spread"])?.hasSuffix("each once; spread is taken") == true)
    #expect(try refusal(named, custom: ["own", "own"])?.hasSuffix("each once; own is taken") == true)
    var regression = models.forest(2)
    regression.link = .identity
    #expect(try refusal(single(["mid", "spread"], .forest(regression)))?.hasPrefix("a binary classifier") == true)
    let float = NeuralNetwork(
      featureCount: 2, window: 1, missingValues: [0, 0],
      operators: [.dense(NeuralNetwork.Dense(source: 0, inputs: 2, outputs: 1, weights: [1, 2], bias: [0]))],
      link: .logistic(scale: 1))
    let network = NetworkMember(inputs: [0, 1], quantised: nil, float: float)
    #expect(try refusal(single(["mid", "spread"], .network(network)))?.hasPrefix("networks in 8-bit") == true)
  }

  @Test(.enabled(if: countsAllocations))
  func `a forecast, a closed bar and a dry run allocate and retain nothing`() throws {
    let artifact = try BuiltinModels.ensemble()
    let model = try artifact.onSlots()
    var models = EnsembleModels(seed: 9)
    let vectors = models.rows(64, features: 88).map(EnsembleModels.vector)
    for set in KernelSet.supported {
      var ensemble = Ensemble(model, kernels: set, in: arena(for: model))
      var sum = 0.0
      for vector in vectors {
        sum += ensemble.forecast(vector).probabilityUp
        ensemble.close(vector, of: 0)
      }
      let counts = counting {
        for index in 0..<400 {
          sum += ensemble.forecast(vectors[index & 63]).probabilityUp
          if index & 7 == 0 { ensemble.close(vectors[index & 63], of: 0) }
          _ = ensemble.advance()
          ensemble.warm(index % ensemble.warmSliceCount)
        }
      }
      #expect(counts.allocations == 0 && counts.retains == 0, "\(set)")
      #expect(sum > 0)
    }
  }

  @Test func `an instruction set the processor lacks is refused as misuse`() async {
    if KernelSet.avx512.isSupported { return }
    await #expect(processExitsWith: .failure) {
      let model = try BuiltinModels.ensemble().onSlots()
      _ = Ensemble(model, kernels: .avx512, in: Arena(capacityBytes: 64 << 20))
    }
  }
}
