public import ModelGovernance
public import TradingEngine
public import TradingTypes

/// Keeps the models of a desk as a registry has them, and the registry's history as the desk tells it.
///
/// ```
///   registry ──follow──► wanted: champion = the version in force,      ──step──► ModelPublisher ──► ModelDesk
///      ▲                 challenger and shadow = staged versions                      │
///      └──────────────── swaps, drift, disagreements as events ◄────────step─────────┘
/// ```
///
/// For a thread that may wait, allocate and use files, beside the pipeline's. The registry is opened for a moment only: other programs
/// promote and approve in it meanwhile. Whatever fails is tried again by the next step, and nothing that happened is lost.
public struct RegistryPublisher: ~Copyable, Sendable {
  /// A version and its share; 0 buckets at places that have none.
  private struct Standing: Hashable {
    var version: Int
    var bucketCount = 0
  }

  /// Events that wait for the registry at most; notices beyond it are counted and dropped, changes never.
  public static let waitingEventCountMax = 1_024

  /// The registry's folder.
  public let folder: String
  /// The registered model that every version is of.
  public let model: String
  /// Who the history says did it.
  public let actor: String?
  /// Notices that found no room while the registry could not be written.
  public private(set) var lostNoticeCount: UInt64 = 0
  private let kernels: KernelSet
  private let customNames: [String]
  private var publisher: ModelPublisher
  // By place, what should stand there.
  private var wanted: [Standing?]
  // The versions that the desk has had, by their identity.
  private var versions: [UInt64: Int] = [:]
  private var waiting: [ModelEvent] = []

  /// The keeper of the desk that `publisher` belongs to; its champion is of the registry (`DeskModel.init(_:version:in:…)`).
  ///
  /// - Parameters:
  ///   - customNames: names of slots 88–95 in order (`CustomFeatures.names`).
  /// - Throws: one line where the desk's champion is no version of `model`.
  public init(
    _ folder: String, model: String, publisher: consuming ModelPublisher, actor: String? = nil,
    kernels: KernelSet = .best, customNames: [String] = []
  ) throws(GovernanceError) {
    self.folder = folder
    self.model = model
    self.actor = actor
    self.kernels = kernels
    self.customNames = customNames
    let champion = publisher.standing(at: .champion)
    self.publisher = publisher
    wanted = [Standing(version: Int(champion?.version ?? 0)), nil, nil]
    let registry = try ModelRegistry(folder)
    let version = try registry.state.version(wanted[0]?.version ?? 0, of: model)
    guard let id = ModelNotice.model(sha256: version.artifact.sha256), id == champion?.model else {
      throw GovernanceError("\(folder): \(model): version \(version.number) as the desk's champion expected")
    }
    versions[id] = version.number
  }

  // MARK: - What is wanted

  /// Lets a staged version decide the share `split` from the next steps on, in place of any other one.
  ///
  /// - Throws: one line where the version is not in staging.
  public mutating func challenge(version: Int, _ split: ChallengerSplit) throws(GovernanceError) {
    try demandStaging(version)
    wanted[ModelPlace.challenger.index] = Standing(version: version, bucketCount: split.challengerBucketCount)
  }

  /// Lets the champion decide everything again.
  public mutating func endChallenge() { wanted[ModelPlace.challenger.index] = nil }

  /// Compares a staged version with the champion from the next steps on, in place of any other one.
  ///
  /// - Throws: one line where the version is not in staging.
  public mutating func shadow(version: Int) throws(GovernanceError) {
    try demandStaging(version)
    wanted[ModelPlace.shadow.index] = Standing(version: version)
  }

  /// Compares nothing with the champion any more.
  public mutating func endShadow() { wanted[ModelPlace.shadow.index] = nil }

  /// Reads the registry: the version in force becomes the champion; a challenger or shadow that has left staging ends.
  ///
  /// Where no version is in force the champion stays: there is always one.
  ///
  /// - Throws: one line where the registry cannot be read; nothing changes then.
  /// - Complexity: O(bytes of the history and of the artifacts in staging and production): for now and then.
  public mutating func follow() throws(GovernanceError) {
    let registry = try ModelRegistry(folder)
    if let number = registry.state.model(model)?.production {
      wanted[ModelPlace.champion.index] = Standing(version: number)
    }
    for place in [ModelPlace.challenger, .shadow] {
      guard let version = wanted[place.index]?.version else { continue }
      if try registry.state.version(version, of: model).stage != .staging { wanted[place.index] = nil }
    }
  }

  private func demandStaging(_ version: Int) throws(GovernanceError) {
    let stage = try ModelRegistry(folder).state.version(version, of: model).stage
    guard stage == .staging else {
      throw GovernanceError("\(model): version \(version) is \(stage.rawValue): staging expected")
    }
  }

  // MARK: - What stands

  /// The version at `place`, as far as the desk's news were collected; nil where there is none.
  public func version(at place: ModelPlace) -> Int? { standing(at: place)?.version }

  /// Whether the desk has what is wanted and the history has what happened.
  public var isSettled: Bool {
    waiting.isEmpty && ModelPlace.allCases.allSatisfy { standing(at: $0) == wanted[$0.index] }
  }

  private func standing(at place: ModelPlace) -> Standing? {
    publisher.standing(at: place).map {
      Standing(version: Int($0.version), bucketCount: Int($0.challengerBucketCount))
    }
  }

  // MARK: - One step

  /// Collects what came back from the desk, hands over the next change that is wanted, and writes what happened into the history.
  ///
  /// - Parameter time: the host's clock: the history's times, which do not fall. Event times are in the events' reasons.
  /// - Throws: one line where an artifact could not be loaded or the registry not written, after doing the rest.
  /// - Complexity: loads a model where one is handed over; the former one ends here.
  public mutating func step(at time: Timestamp) throws(GovernanceError) {
    collect(at: time)
    var failure: GovernanceError?
    do throws(GovernanceError) { try handOver() } catch { failure = error }
    do throws(GovernanceError) { try write(at: time) } catch { failure = failure ?? error }
    if let failure { throw failure }
  }

  private mutating func collect(at time: Timestamp) {
    // First, so that a drift of the former model stands before the change.
    while let notice = publisher.nextNotice() {
      switch notice.kind {
      case .swapped, .challengerStarted, .challengerStopped: continue
      default: break
      }
      guard let version = versions[notice.model], waiting.count < Self.waitingEventCountMax else {
        // Wrapping: a counter for reports.
        lostNoticeCount &+= 1
        continue
      }
      var event = ModelEvent(notice, model: model)
      event.version = version
      event.reason = "event time \(notice.time.nanoseconds)"
      tell(event)
    }
    guard let change = publisher.collect(), let effect = change.effect else { return }
    let former = versions[effect.former]
    switch effect.place {
    case .champion: tell(.swapped, effect, version: Int(effect.version), former: former)
    case .challenger:
      if let former { tell(.challengerStopped, effect, version: former) }
      if effect.model != 0 {
        let split = ChallengerSplit(challengerBucketCount: Int(effect.challengerBucketCount))
        tell(.challengerStarted, effect, version: Int(effect.version), value: split.challengerShare)
      }
    case .shadow: break
    }
  }

  private mutating func tell(
    _ kind: ModelEvent.Kind, _ effect: ModelSwap, version: Int, former: Int? = nil, value: Double? = nil
  ) {
    var event = ModelEvent(kind, model: model, version: version, at: effect.time, value: value)
    event.formerVersion = former
    event.reason = "with event \(effect.sequence), event time \(effect.time.nanoseconds)"
    tell(event)
  }

  private mutating func tell(_ event: ModelEvent) {
    var event = event
    event.actor = actor
    waiting.append(event)
  }

  /// Publishes the first change that is wanted and can be made.
  private mutating func handOver() throws(GovernanceError) {
    guard publisher.isFree else { return }
    var failure: GovernanceError?
    for place in ModelPlace.allCases where standing(at: place) != wanted[place.index] {
      do throws(GovernanceError) {
        let change = try change(at: place)
        _ = publisher.publish(change)
        break
      } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
  }

  private mutating func change(at place: ModelPlace) throws(GovernanceError) -> ModelChange {
    guard let standing = wanted[place.index] else { return place == .challenger ? .endChallenger() : .endShadow() }
    let model = try DeskModel(
      self.model, version: standing.version, in: ModelRegistry(folder), instrumentCount: publisher.instrumentCount,
      kernels: kernels, customNames: customNames)
    if let fault = publisher.fault(of: model) {
      throw GovernanceError("\(self.model): version \(standing.version): \(fault)")
    }
    versions[model.id] = standing.version
    switch place {
    case .champion: return .champion(model)
    case .challenger: return .challenger(model, ChallengerSplit(challengerBucketCount: standing.bucketCount))
    case .shadow: return .shadow(model)
    }
  }

  private mutating func write(at time: Timestamp) throws(GovernanceError) {
    guard !waiting.isEmpty else { return }
    var registry = try ModelRegistry(folder, .writing)
    while var event = waiting.first {
      // Others write too, and their clocks may be ahead.
      event.timeNanoseconds = max(time.nanoseconds, registry.state.timeNanoseconds)
      try registry.note(event)
      waiting.removeFirst()
    }
  }
}

extension ModelPlace {
  fileprivate var index: Int { Int(rawValue) }
}
