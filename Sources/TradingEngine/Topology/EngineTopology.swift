internal import TradingTypes

/// How the engine is spread over threads. The same input gives the same decisions in each.
public enum EngineTopology: Hashable, Sendable, CustomStringConvertible {
  /// One thread runs all seven stages to completion: the default and the fastest.
  case inline
  /// Three threads: one decodes, one decides, one owns the venue gateway.
  case split
  /// One thread decodes; the instruments are spread over `count` pipelines, each on a thread of its own.
  case sharded(count: Int)

  /// Threads beside the one that starts it.
  public var threadCount: Int {
    switch self {
    case .inline: 0
    case .split: 3
    case .sharded(let count): 1 + count
    }
  }

  /// As the configuration writes it.
  public var description: String {
    switch self {
    case .inline: "inline"
    case .split: "split"
    case .sharded(let count): "sharded over \(count)"
    }
  }
}
