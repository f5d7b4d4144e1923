/// One row of the catalogue: what a slot of a `FeatureVector` holds.
public struct FeatureDefinition: Hashable, Sendable {
  /// Where a slot's value comes from, and with it when it changes.
  public enum Kind: String, CaseIterable, Sendable {
    /// Book and trade messages; may change with each of them.
    case event
    /// Closed bars of the instrument.
    case bar
    /// The last value that a host published from outside the market.
    case context
    /// Closed bars of all instruments of an engine together.
    case crossSection = "cross-section"
    /// Another stage's result, handed over by the engine at a bar's close.
    case engine
  }

  /// What must have come in until the window of a slot is full.
  public enum Input: Hashable, Sendable, CustomStringConvertible {
    /// So many events that left a usable book: both sides there and not crossed.
    case books(Int)
    /// So many events about orders and levels, whatever the book.
    case events(Int)
    /// So many trades that are no auction's.
    case trades(Int)
    /// So many closed bars.
    case bars(Int)
    /// What is no plain count.
    case other(String)

    /// As documentation writes it: `1 book`, `100 events`.
    public var description: String {
      func text(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
      switch self {
      case .books(let count): return text(count, "book")
      case .events(let count): return text(count, "event")
      case .trades(let count): return text(count, "trade")
      case .bars(let count): return text(count, "bar")
      case .other(let text): return text
      }
    }
  }

  /// Name in the enumeration, CSV headers and model artifacts; frozen once released.
  public let name: String
  /// The value in the catalogue's notation, see `Docs/Features.md`.
  public let formula: String
  /// What it looks back on.
  public let window: String
  /// Unit or range of the value; frozen once released.
  public let unit: String
  /// Where the value comes from.
  public let kind: Kind
  /// What fills the window: from then on the slot's valid bit is set.
  public let input: Input
  /// Who described it, and when; a dash for plain statistics.
  public let source: String

  init(
    _ name: String, _ formula: String, window: String, unit: String, _ kind: Kind, _ input: Input,
    source: String = "–"
  ) {
    self.name = name
    self.formula = formula
    self.window = window
    self.unit = unit
    self.kind = kind
    self.input = input
    self.source = source
  }
}

/// The table of all slots: the one source of `FeatureSlot`, its names, `Docs/Features.md`, CSV headers and the schema hash.
///
/// A row's place is its slot's index. Released rows never change name, unit or place; new ones are added at the end. The hot path
/// uses `FeatureSlot` alone and never reads this.
public enum FeatureCatalogue {
  /// A row a slot, by index.
  public static let rows: [FeatureDefinition] = eventRows + barRows + contextRows

  /// The slot called `name`, or nil.
  ///
  /// - Complexity: O(slots).
  public static func slot(named name: some StringProtocol) -> FeatureSlot? {
    rows.firstIndex { $0.name == name }.map { FeatureSlot.allCases[$0] }
  }
}

extension FeatureSlot {
  /// Its place in the vector.
  @inlinable public var index: Int { Int(rawValue) }

  /// Its row of the catalogue.
  public var definition: FeatureDefinition { FeatureCatalogue.rows[index] }

  /// Its name in CSV headers and model artifacts.
  public var name: String { definition.name }

  /// Whether it changes only when a bar closes, so that each timeframe has its own, addressed as `name@1s`.
  public var isBarFeature: Bool {
    switch definition.kind {
    case .bar, .crossSection, .engine: true
    case .event, .context: false
    }
  }

  /// FNV-1a 64 over every name in order, each ended by a zero byte: what a model was trained for.
  public static var schemaHash: UInt64 {
    var hash = FNV1a64()
    for row in FeatureCatalogue.rows {
      for byte in row.name.utf8 { hash.combine(byte) }
      hash.combine(UInt8(0))
    }
    return hash.value
  }
}
