import Foundation
import LockFreeRings
import ModelDeployment
import ModelGovernance
import Testing
import TradingEngine
import TradingTypes

// Goal: a desk has the models that its registry names, whatever fails on the way, and the registry's history has what the desk did.
// Method: both ends on one thread, event by event; a registry that others change, lock and damage meanwhile.
@Suite struct RegistryPublisherTests {
  /// A desk and its keeper, and events for them.
  struct Pair: ~Copyable {
    let fixture: RegistryFixture
    var desk: ModelDesk
    var keeper: RegistryPublisher
    var sequence: UInt64 = 0

    init(_ fixture: RegistryFixture, instruments: Int = 2) throws {
      var desk = try fixture.desk(instruments: instruments)
      let keeper = try RegistryPublisher(
        fixture.folder, model: RegistryFixture.name, publisher: desk.takePublisher(), actor: "test")
      self.fixture = fixture
      self.desk = desk
      self.keeper = keeper
    }

    /// An event begins; the changes that took effect with it.
    mutating func event() -> [ModelSwap] {
      sequence += 1
      var swaps: [ModelSwap] = []
      while let swap = desk.takeSwap(before: sequence, at: Timestamp(nanoseconds: Int64(sequence))) {
        swaps.append(swap)
      }
      return swaps
    }

    mutating func step() throws { try keeper.step(at: fixture.now()) }

    /// What a step refused.
    mutating func refusal() -> String? {
      do { try step() } catch { return "\(error)" }
      return nil
    }

    /// Steps and events until nothing is left to do.
    mutating func settle() throws {
      for _ in 0..<10 where !keeper.isSettled {
        try step()
        _ = event()
      }
      try step()
    }

    func standing() -> [Int?] { ModelPlace.allCases.map { keeper.version(at: $0) } }
  }

  @Test func `what the registry says stands at the desk, and the history says since when`() throws {
    var pair = try Pair(RegistryFixture())
    let beginning = pair.event()
    #expect(beginning.map(\.isBeginning) == [true] && beginning[0].version == 1)
    try pair.keeper.challenge(version: 2, ChallengerSplit(challengerBucketCount: 5_000))
    try pair.keeper.shadow(version: 3)
    let wasSettled = pair.keeper.isSettled
    try pair.step()
    // It stands once it came back, not when it was handed over.
    let before = pair.standing()
    let swaps = pair.event()
    #expect(!wasSettled && before == [1, nil, nil] && swaps.map(\.place) == [.challenger])
    try pair.settle()
    let challenged = pair.standing()
    #expect(challenged == [1, 2, 3])

    // Promoted elsewhere: champion from here on, and no challenger any more.
    try pair.fixture.promote(2)
    try pair.settle()
    let unread = pair.standing()
    #expect(unread == [1, 2, 3], "only `follow` looks")
    try pair.keeper.follow()
    try pair.settle()
    let promoted = pair.standing()
    #expect(promoted == [2, nil, 3])

    // Another share is another change; the end of a challenge and of a shadow are changes too.
    try pair.keeper.challenge(version: 3, ChallengerSplit(challengerBucketCount: 100))
    pair.keeper.endShadow()
    try pair.settle()
    try pair.keeper.challenge(version: 3, ChallengerSplit(challengerBucketCount: 200))
    try pair.settle()
    let shared = pair.standing()
    #expect(shared == [2, 3, nil])
    pair.keeper.endChallenge()
    try pair.settle()
    var registry = try pair.fixture.registry(.writing)
    _ = try registry.rollBack(RegistryFixture.name, at: pair.fixture.now())
    _ = consume registry
    try pair.keeper.follow()
    try pair.settle()
    let last = pair.standing()
    #expect(last == [1, nil, nil])

    typealias Told = RegistryFixture.Told
    let expected = [
      Told(kind: .challengerStarted, version: 2, value: 0.5), Told(kind: .swapped, version: 2, former: 1),
      Told(kind: .challengerStopped, version: 2), Told(kind: .challengerStarted, version: 3, value: 0.01),
      Told(kind: .challengerStopped, version: 3), Told(kind: .challengerStarted, version: 3, value: 0.02),
      Told(kind: .challengerStopped, version: 3), Told(kind: .swapped, version: 1, former: 2),
    ]
    #expect(try pair.fixture.told() == expected)
    let events = try pair.fixture.registry().events().filter { !$0.kind.changesRegistry }
    #expect(events.allSatisfy { $0.actor == "test" && $0.reason?.hasPrefix("with event ") == true })
    let faults = try pair.fixture.registry().faults()
    #expect(faults == [])
  }

  @Test func `an archived challenger leaves, and a name without a version in force keeps its champion`() throws {
    var pair = try Pair(RegistryFixture())
    try pair.keeper.challenge(version: 2, ChallengerSplit())
    try pair.settle()
    var registry = try pair.fixture.registry(.writing)
    for version in [1, 2] { try registry.archive(RegistryFixture.name, version: version, at: pair.fixture.now()) }
    _ = consume registry
    try pair.keeper.follow()
    try pair.settle()
    let standing = pair.standing()
    #expect(standing == [1, nil, nil])
    let refused = #expect(throws: GovernanceError.self) { try pair.keeper.shadow(version: 2) }
    #expect(refused?.description == "alpha: version 2 is archived: staging expected")
  }

  @Test func `a locked registry delays its history, not the models`() throws {
    var pair = try Pair(RegistryFixture())
    _ = pair.event()
    try pair.keeper.challenge(version: 2, ChallengerSplit())
    try pair.step()
    var other: ModelRegistry? = try pair.fixture.registry(.writing)
    _ = pair.event()
    let locked = pair.refusal()
    let standing = pair.standing()
    #expect(locked?.contains("another writer") == true && standing == [1, 2, nil])
    pair.keeper.endChallenge()
    _ = pair.refusal()
    _ = pair.event()
    let again = pair.refusal()
    let (ended, isSettled) = (pair.standing(), pair.keeper.isSettled)
    #expect(again == locked && ended == [1, nil, nil] && !isSettled)
    #expect(try pair.fixture.told().isEmpty)
    other = nil
    _ = other == nil
    try pair.step()
    let kinds = try pair.fixture.told().map(\.kind)
    #expect(kinds == [.challengerStarted, .challengerStopped])
  }

  @Test func `a version that cannot be loaded is named, the others come, and mended it comes too`() throws {
    var pair = try Pair(RegistryFixture())
    try pair.keeper.challenge(version: 2, ChallengerSplit())
    try pair.keeper.shadow(version: 3)
    let path = try pair.fixture.registry().artifactPath(of: pair.fixture.registry().state.version(2, of: "alpha"))
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    // The registry refuses to be opened with a wrong artifact in staging: nothing can be handed over.
    try whole.dropLast().write(to: URL(fileURLWithPath: path))
    let line = pair.refusal()
    #expect(line == "\(path): content of this hash and \(whole.count) bytes expected")
    let kept = pair.standing()
    #expect(kept == [1, nil, nil])
    try whole.write(to: URL(fileURLWithPath: path))
    try pair.settle()
    let standing = pair.standing()
    #expect(standing == [1, 2, 3])
  }

  @Test func `a desk that another registry's champion stands at is refused`() throws {
    let (fixture, other) = (try RegistryFixture(), try RegistryFixture(versions: 1))
    var registry = try other.registry(.writing)
    _ = try registry.add("beta", artifact: try RegistryFixture.artifact(9), at: other.now())
    _ = consume registry
    var desk = try fixture.desk()
    let publisher = desk.takePublisher()
    var line: String?
    do { _ = try RegistryPublisher(other.folder, model: "beta", publisher: publisher) } catch { line = "\(error)" }
    #expect(line == "\(other.folder): beta: version 1 as the desk's champion expected")
    let missing = #expect(throws: GovernanceError.self) {
      _ = try DeskModel("beta", in: other.registry(), instrumentCount: 1)
    }
    #expect(missing?.description == "\(other.folder): beta: a version in force expected, none found")
  }

  @Test func `drift and disagreement come into the history with their versions`() throws {
    var pair = try Pair(RegistryFixture(), instruments: 1)
    let id = pair.desk.championModel
    let reference = try DriftReference((0..<1_000).map { Double($0) / 1_000 })
    pair.desk.drift = DriftWatch(
      model: id, probability: DriftWatch.Reference(reference), window: 400,
      thresholds: DriftWatch.Thresholds(DriftThresholds(psiAlert: 0.3, psiClear: 0.2, liveCountMin: 100)),
      in: Arena(capacityBytes: 1 << 20))
    try pair.keeper.shadow(version: 2)
    try pair.settle()
    var random = SplitMix64(seed: 2)
    var vector = FeatureVector()
    for _ in 0..<1_100 {
      for slot in 0..<8 {
        vector.values[slot] = Double(random.below(100)) / 50 - 1
        vector.valid[slot] = true
      }
      _ = pair.event()
      _ = pair.desk.forecast(vector, for: InstrumentID(index: 0), at: Timestamp(nanoseconds: Int64(pair.sequence)))
    }
    try pair.step()
    let told = try pair.fixture.told()
    // Eight of the slots move the probability: not evenly from 0 to 1, as the reference has it.
    let drift = try #require(told.first { $0.kind == .driftAlert })
    #expect(drift.version == 1 && (drift.value ?? 0) > 0.3)
    let disagreement = try #require(told.first { $0.kind == .shadowDisagreement })
    #expect(disagreement.version == 2 && (0...1).contains(disagreement.value ?? -1))
    let tally = pair.desk.shadowTally
    #expect(tally.compared == 1_100 && tally.disagreed > 0 && pair.keeper.lostNoticeCount == 0)
  }
}
