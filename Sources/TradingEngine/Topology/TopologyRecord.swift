public import LockFreeRings
public import MarketIngest
public import SignalFeatures
public import TradingTypes

/// What the distributing thread sends to a pipeline, in the order of the input.
@frozen public enum TopologyInput: BitwiseCopyable, Sendable {
  /// A market event.
  case event(MarketEvent)
  /// A context value.
  case context(ContextEvent)
  /// A primary bar ended before message `sequence` at `time`: every shard samples its part.
  case barrier(sequence: UInt64, time: Timestamp)
  /// The feed was silent for too long before message `sequence` at `time`.
  case silence(time: Timestamp)
  /// The feed's line is in this state from here on.
  case line(LineState)
  /// Nothing for this pipeline up to `key`.
  case progress(key: UInt64)
  /// Nothing more.
  case end
}

/// What one shard adds to the portfolio and to the cross-section at a bar's end. Money is doubled, because mid-prices come in
/// halves.
@frozen public struct BarrierPart: BitwiseCopyable, Sendable {
  /// Twice the change of equity since the books began, billionths.
  @usableFromInline var gainTwice: Int128 = 0
  /// Twice the change of equity since the day began, billionths.
  @usableFromInline var dayGainTwice: Int128 = 0
  /// Twice the fall of equity from its day's peak, billionths.
  @usableFromInline var fallTwice: Int128 = 0
  /// Gross exposure.
  @usableFromInline var gross = Money.zero
  /// Returns of the shard's instruments.
  @usableFromInline var universe = UniverseSample()
  /// Whether its desk has a refit.
  @usableFromInline var refits = RefitVote()

  /// No part.
  @inlinable public init() {}

  /// Adds another shard's part.
  @inlinable mutating func add(_ other: BarrierPart) {
    // Wrapping: a ledger's sums are below 2^126 together; 16 shards of realistic books stay far below, and a wrong sum cannot trap.
    gainTwice &+= other.gainTwice
    dayGainTwice &+= other.dayGainTwice
    fallTwice &+= other.fallTwice
    gross.nanos &+= other.gross.nanos
    universe.add(other.universe)
    refits.add(other.refits)
  }
}

/// What a pipeline sends to the collecting thread.
@frozen public enum TopologyOutput: BitwiseCopyable, Sendable {
  /// A decision, followed by that many child orders.
  case decision(Decision, children: UInt8)
  /// A child order of the decision before it.
  case child(ChildOrder)
  /// A venue's report that the ledger took in.
  case report(ExecutionReport)
  /// A use of a shared limit at an event time.
  case use(LimitUse, time: Timestamp)
  /// A change of models.
  case swap(ModelSwap)
  /// Eight words of a refit from word `first` on, in order: whole it would make every output four times as long.
  case refit(first: UInt8, InlineArray<8, UInt64>)
  /// Half of a size from word `first` on, in order: as much as a bar's part takes in any case.
  case sizing(InlineArray<16, UInt64>, first: UInt8)
  /// The shard's part at a bar's end; it waits for the total.
  case barrier(BarrierPart)
  /// Nothing more.
  case end
}

/// An output and its place in the input: twice the message's number, plus one for what the message itself caused.
@frozen public struct KeyedOutput: BitwiseCopyable, Sendable {
  @usableFromInline var key: UInt64
  @usableFromInline var output: TopologyOutput

  @inlinable init(key: UInt64, _ output: TopologyOutput) {
    self.key = key
    self.output = output
  }

  /// What a ring's slot holds before it is first written.
  public static var nothing: KeyedOutput { KeyedOutput(key: 0, .end) }
}

/// The sink of a pipeline in a topology: hands everything to the collecting thread through a ring. A full ring is waited for: orders
/// and fills do not drop.
@frozen public struct DecisionForwarder: DecisionSink, ~Copyable {
  @usableFromInline var ring: ThroughputRing<KeyedOutput>.Producer
  @usableFromInline let progress: SharedMaximum
  @usableFromInline let wait: TopologyWait
  /// The place in the input of what is recorded from now on: twice the message's number, plus one for what it caused itself.
  public var key: UInt64 = 0
  @usableFromInline var toldKey: UInt64 = 0

  /// A forwarder into `ring`, which tells by `progress` how far it has come without output.
  public init(_ ring: consuming ThroughputRing<KeyedOutput>.Producer, progress: SharedMaximum, wait: TopologyWait) {
    self.ring = ring
    self.progress = progress
    self.wait = wait
  }

  /// Appends an output under the current key.
  @inlinable mutating func put(_ output: TopologyOutput) {
    toldKey = key
    let keyed = KeyedOutput(key: key, output)
    if ring.tryPush(keyed) { return }
    // What is lost when the topology stops belongs to a run that ends with an error.
    while !wait.isOver { if ring.push(keyed, waiting: wait.strategy, until: wait.slice) { return } }
  }

  /// Forwards a decision and its child orders.
  @inlinable public mutating func record(_ decision: borrowing Decision, plan: borrowing RoutePlan) {
    let count = decision.verdict == .routed ? plan.count : 0
    put(.decision(copy decision, children: UInt8(truncatingIfNeeded: count)))
    for index in 0..<count { put(.child(plan.children[index])) }
  }

  /// Forwards a report.
  @inlinable public mutating func record(_ report: borrowing ExecutionReport) { put(.report(copy report)) }

  /// Forwards a use of a shared limit.
  @inlinable public mutating func record(_ use: borrowing LimitUse, at time: Timestamp) {
    put(.use(copy use, time: time))
  }

  /// Forwards a change of models.
  @inlinable public mutating func record(_ swap: borrowing ModelSwap) { put(.swap(copy swap)) }

  /// Forwards a refit, in parts.
  public mutating func record(_ refit: borrowing RefitRecord) {
    let words = refit.journalWords
    for first in stride(from: 0, to: RefitRecord.wordCount, by: 8) {
      var part = InlineArray<8, UInt64>(repeating: 0)
      for place in 0..<min(8, RefitRecord.wordCount - first) { part[place] = words[first + place] }
      put(.refit(first: UInt8(truncatingIfNeeded: first), part))
    }
  }

  /// Forwards how a size was found, in halves.
  @inlinable public mutating func record(_ sizing: borrowing SizedDecision) {
    let words = sizing.journalWords
    put(.sizing(InlineArray { words[$0] }, first: 0))
    // In range: there are 32.
    put(.sizing(InlineArray { words[16 &+ $0] }, first: 16))
  }

  /// Says that everything of a bar's end is there: other shards' outputs wait for that, so that a refit stands before all that is decided
  /// under it.
  mutating func endBarrier() { progress.raise(to: key) }

  /// Says that everything up to the current key is there, where that is news: beside the ring, so that it never fills it.
  @inlinable mutating func tellProgress() {
    guard toldKey != key else { return }
    toldKey = key
    progress.raise(to: key)
  }
}
