import FuzzTargets
import ModelImport
import TestSupport
import Testing
import TradingTypes

// Goal: no bytes whatever make an importer trap, hang or take memory without bound. Method: small sound models with
// bytes cut, flipped, doubled, replaced by digits and swapped, by seed; what is still accepted must be a sound forest that
// answers. The same function is what Tests/fuzz/run drives for longer.
struct MutationTests {
  static let models: [(name: String, bytes: @Sendable () throws -> [UInt8])] = [
    ("lightgbm", { Array(SmallModels.lightGBM().utf8) }), ("xgboost", { Array(SmallModels.xgboost().utf8) }),
    ("xgboost-ubj", { try SmallModels.ubj(SmallModels.xgboost()) }),
    ("catboost", { Array(SmallModels.catBoost().utf8) }),
    ("catboost-grown", { Array(SmallModels.catBoost(SmallModels.catBoostGrown).utf8) }),
    ("mlflow", { Array(SmallModels.mlflow().utf8) }),
  ]

  /// Changes a few places of the bytes.
  static func mutated(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
    var bytes = bytes
    let digits = Array("0123456789-.eE{}[],:\"\n $#lLdUD".utf8)
    for _ in 0..<(1 + random.below(3)) where !bytes.isEmpty {
      let place = random.below(bytes.count)
      switch random.below(7) {
      case 0: bytes[place] ^= 1 << UInt8(random.below(8))
      case 1: bytes[place] = digits[random.below(digits.count)]
      case 2: bytes.remove(at: place)
      case 3: bytes.insert(digits[random.below(digits.count)], at: place)
      case 4: bytes.removeSubrange(place..<min(bytes.count, place + random.below(20)))
      case 5:
        let end = min(bytes.count, place + random.below(20))
        bytes.insert(contentsOf: bytes[place..<end], at: place)
      default: bytes[place] = UInt8(truncatingIfNeeded: random.next())
      }
    }
    return bytes
  }

  @Test(arguments: models.indices)
  func `changed bytes give a sound model or a refusal`(model: Int) throws {
    let bytes = try Self.models[model].bytes()
    var random = SplitMix64(seed: UInt64(model) + 1)
    var accepted = 0
    for _ in 0..<700 {
      let changed = Self.mutated(bytes, &random)
      accepted += FuzzTarget.modelsRead(changed)
    }
    // A change in a name or a value leaves a model sound: the mutations do not all fail at the first byte.
    #expect(accepted > 5, "\(Self.models[model].name): \(accepted)")
  }

  @Test func `the models themselves are read, each by one importer`() throws {
    for (name, bytes) in Self.models { #expect(FuzzTarget.modelsRead(try bytes()) == 1, "\(name)") }
  }
}
