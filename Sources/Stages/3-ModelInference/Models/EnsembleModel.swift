internal import TradingTypes

/// What an artifact holds, as values: one model, or several and how they are joined.
public struct EnsembleModel: Hashable, Sendable {
  /// One member.
  public struct Member: Hashable, Sendable {
    /// How it computes.
    public enum Kind: Hashable, Sendable {
      /// Decision trees.
      case forest(DecisionForest)
      /// A network, over one row or a window of them.
      case network(NetworkMember)
    }

    /// What reports call it.
    public var name: String
    /// How it computes.
    public var kind: Kind
    /// Features without which it does not take part, as indices, ascending.
    public var required: [Int]

    /// A member.
    public init(name: String, kind: Kind, required: [Int] = []) {
      self.name = name
      self.kind = kind
      self.required = required
    }
  }

  /// Most members.
  public static let memberCountMax = Combiner.capacity
  /// Most features of a row.
  public static let featureCountMax = DecisionForest.featureCountMax

  /// Names of the features, in the order of a row.
  public var features: [String]
  /// The members, 1 to 8.
  public var members: [Member]
  /// How they are joined; nil for a single model, which may have several outputs then.
  public var combiner: CombinerValues?
  /// Names and origins: lower-case keys, printable ASCII.
  public var metadata: [String: String]

  /// A model; `fault` says whether it is sound.
  public init(
    features: [String], members: [Member], combiner: CombinerValues? = nil, metadata: [String: String] = [:]
  ) {
    self.features = features
    self.members = members
    self.combiner = combiner
    self.metadata = metadata
  }

  /// Rows a prediction reads: the longest window of a member, 1 where no member looks back.
  public var window: Int { members.map(\.window).max() ?? 1 }

  /// FNV-1a 64 over every feature name in order, each ended by a zero byte.
  public var schemaHash: UInt64 {
    var hash = FNV1a64()
    for name in features {
      for byte in name.utf8 { hash.combine(byte) }
      hash.combine(UInt8(0))
    }
    return hash.value
  }

  /// The first rule the model breaks, or nil.
  public var fault: String? {
    guard (1...Self.featureCountMax).contains(features.count) else { return "1 to \(Self.featureCountMax) features" }
    guard Set(features).count == features.count, features.allSatisfy(\.isFeatureName) else {
      return "features of different names in 1 to 128 bytes without control characters"
    }
    guard (1...Self.memberCountMax).contains(members.count) else { return "1 to \(Self.memberCountMax) members" }
    for (number, member) in members.enumerated() {
      if let fault = member.fault(featureCount: features.count) { return "member \(number) with \(fault)" }
    }
    guard let combiner else { return members.count == 1 ? nil : "a combiner for \(members.count) members" }
    for (number, member) in members.enumerated() where !member.isBinary {
      return "member \(number) with one output and a logistic link"
    }
    return combiner.fault(memberCount: members.count)
  }
}

extension EnsembleModel.Member {
  /// Rows it reads.
  public var window: Int {
    switch kind {
    case .forest: 1
    case .network(let network): network.window
    }
  }

  /// Raw scores it gives.
  public var outputCount: Int {
    switch kind {
    case .forest(let forest): forest.outputCount
    case .network(let network): network.outputCount
    }
  }

  /// From its raw scores to predictions.
  public var link: Link {
    switch kind {
    case .forest(let forest): forest.link
    case .network(let network): network.link
    }
  }

  /// The link reads the raw score over this.
  public var divisor: Double {
    if case .forest(let forest) = kind { return forest.divisor }
    return 1
  }

  /// What `raw` is multiplied by to be a logit; nil where the member is no binary classifier.
  public var logitScale: Double? {
    guard outputCount == 1, case .logistic(let scale) = link else { return nil }
    return scale / divisor
  }

  /// Whether its one output has a logit.
  public var isBinary: Bool { logitScale != nil }

  func fault(featureCount: Int) -> String? {
    guard name.isFeatureName else { return "a name in 1 to 128 bytes without control characters" }
    guard required.allSatisfy({ (0..<featureCount).contains($0) }), zip(required, required.dropFirst()).allSatisfy(<)
    else { return "ascending required features of the row" }
    switch kind {
    case .forest(let forest):
      guard forest.featureCount == featureCount else { return "\(featureCount) features" }
      return forest.fault
    case .network(let network): return network.fault(featureCount: featureCount)
    }
  }
}

extension String {
  /// Whether it can stand as a name in an artifact: 1 to 128 bytes, no control characters.
  var isFeatureName: Bool { (1...128).contains(utf8.count) && utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }
}
