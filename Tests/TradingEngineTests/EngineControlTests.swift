// Goal: other threads steer a running pipeline by whole values, and a decision sees one of them. Method: values against the design's
// table; a writer thread against a reader that checks each value against its version; a pipeline between two decisions.

import LockFreeRings
import Synchronization
import TestSupport
import Testing
import TradingEngine
import TradingTypes

final class Flag: Sendable {
  let isUp = Atomic(false)
}

@Suite struct EngineControlTests {
  @Test func `the modes have the values of the design`() {
    typealias Row = (
      mode: PolicyMode, leverage: Double, risk: Double, drawdown: Double, positions: Int64, confidence: Double,
      factor: Double, cap: Int64
    )
    let rows: [Row] = [
      (.aggressive, 7, 0.03, 0.06, 30, 0.45, 1.5, 20_000), (.normal, 5, 0.015, 0.05, 20, 0.50, 1.0, 10_000),
      (.defensive, 3, 0.0075, 0.03, 10, 0.60, 0.7, 5_000),
    ]
    #expect(rows.map(\.mode) == PolicyMode.allCases)
    for row in rows {
      let policy = PolicySnapshot.standard(row.mode)
      #expect(policy.mode == row.mode && policy.leverageMax == row.leverage && policy.riskPerTradeMax == row.risk)
      #expect(policy.dailyDrawdownMax == row.drawdown && policy.openPositionsMax == row.positions)
      #expect(policy.confidenceMin == row.confidence && policy.sizeFactor == row.factor)
      #expect(policy.positionNotionalMax == Money(units: row.cap))
    }
  }

  @Test func `an engine without a policy starts defensive`() throws {
    let control = try EngineControl(in: Arena(capacityBytes: 1 << 20))
    #expect(control.policy.mode == .defensive)
    #expect(control.history.isEmpty)
  }

  @Test func `versions rise by one and the history says who`() throws {
    let control = try Rig.control()
    #expect(control.policy.version == 1)
    control.setMode(.aggressive, by: "desk")
    #expect(control.policy.version == 2 && control.policy.mode == .aggressive)
    var own = PolicySnapshot.standard(.normal, version: 77)
    own.sizeFactor = 0.25
    control.setPolicy(own, by: "risk")
    #expect(control.policy.version == 3 && control.policy.sizeFactor == 0.25)
    control.requestKill(.reducing, by: "ops")
    control.rearm(authorisedBy: "ops", reason: "drill over")
    #expect(control.policy.version == 3)
    #expect(
      control.history == [
        "policy aggressive by desk", "policy normal by risk", "kill reducing by ops",
        "re-arm authorised by ops: drill over",
      ])
  }

  @Test func `a re-arm without a name or a reason is a misuse`() async {
    await #expect(processExitsWith: .failure) {
      let control = try EngineControl(in: Arena(capacityBytes: 1 << 20))
      control.rearm(authorisedBy: "", reason: "because")
    }
  }

  @Test func `a reader never sees two versions in one value`() throws {
    let control = try Rig.control()
    var reader = try control.reader()
    let flag = Flag()
    let writer = PinnedThread(ThreadConfiguration(name: "write")) {
      for round in 0..<20_000 { control.setMode(PolicyMode.allCases[round % 3], by: "w") }
      flag.isUp.store(true, ordering: .releasing)
    }
    var last: UInt64 = 1
    var seen = 0
    while true {
      // Looked at first: what was written before it went up is then seen by `refresh`.
      let hasEnded = flag.isUp.load(ordering: .acquiring)
      if reader.refresh() {
        seen += 1
        let policy = reader.value.policy
        // Version v > 1 was written in round v − 2.
        let expected = PolicySnapshot.standard(PolicyMode.allCases[Int(policy.version - 2) % 3])
        guard policy.version > last, policy.mode == expected.mode, policy.leverageMax == expected.leverageMax,
          policy.confidenceMin == expected.confidenceMin, policy.sizeFactor == expected.sizeFactor,
          policy.openPositionsMax == expected.openPositionsMax,
          policy.positionNotionalMax == expected.positionNotionalMax
        else {
          Issue.record("version \(policy.version) after \(last): \(policy)")
          break
        }
        last = policy.version
      } else if hasEnded {
        break
      }
    }
    writer.join()
    #expect(seen > 0)
    let final = reader.read().policy.version
    #expect(final == 20_001)
  }

  @Test func `a new mode is in force with the next decision`() throws {
    let control = try Rig.control(.normal)
    var pipeline = try Rig.pipeline(HostVenue(), control: control)
    for event in Rig.market() { pipeline.ingest(event) }
    // Confidence after the regime is 0.9 × 0.7 = 0.63: enough for NORMAL (0.50) and DEFENSIVE (0.60).
    #expect(pipeline.sink.decisions.last?.verdict == .routed)
    var strict = PolicySnapshot.standard(.normal)
    strict.confidenceMin = 0.64
    control.setPolicy(strict, by: "test")
    pipeline.ingest(Rig.trade(3, 10_000, at: 2_000_000))
    #expect(pipeline.sink.decisions.last?.verdict == .belowConfidence)
    control.setMode(.aggressive, by: "test")
    pipeline.ingest(Rig.trade(4, 10_000, at: 4_000_000))
    // 20,000 a position in place of 10,000: it doubles what is held.
    #expect(pipeline.sink.decisions.last?.verdict == .routed)
    let held = pipeline.ledger.position(of: Rig.instrument).lots
    #expect(held > 190)
  }

  @Test func `a manual kill stops at the next decision and a re-arm lets it go on`() throws {
    let control = try Rig.control()
    var pipeline = try Rig.pipeline(HostVenue(), instruments: 4, control: control)
    for event in Rig.market() { pipeline.ingest(event) }
    #expect(pipeline.gateway.sent.count == 1)
    // From another thread, as a person would.
    let thread = PinnedThread(ThreadConfiguration(name: "desk")) { control.requestKill(.halted, by: "desk") }
    thread.join()
    for event in Rig.market(at: 10, of: 1) { pipeline.ingest(event) }
    #expect(pipeline.gateway.sent.count == 1)
    #expect(pipeline.sink.decisions.last?.verdict == .rejected)
    #expect(pipeline.sink.decisions.last?.check == RiskCheck.killState.rawValue)
    let trip = pipeline.kill.trip(at: 0)
    #expect(trip?.reason == .manual && trip?.level == .halted && trip?.scope == .global)
    // A lower level does not lift a higher one.
    control.requestKill(.reducing, by: "desk")
    for event in Rig.market(at: 20, of: 2) { pipeline.ingest(event) }
    #expect(pipeline.gateway.sent.count == 1)
    control.rearm(authorisedBy: "head of desk", reason: "checked")
    for event in Rig.market(at: 30, of: 3) { pipeline.ingest(event) }
    #expect(pipeline.gateway.sent.count == 2)
    let level = pipeline.kill.globalLevel
    #expect(level == .active)
  }

  @Test func `a pipeline made after a kill was asked for starts halted`() throws {
    let control = try Rig.control()
    control.requestKill(.halted, by: "desk")
    var pipeline = try Rig.pipeline(HostVenue(), control: control)
    for event in Rig.market() { pipeline.ingest(event) }
    #expect(pipeline.gateway.sent.isEmpty)
    #expect(pipeline.sink.decisions.last?.check == RiskCheck.killState.rawValue)
    control.rearm(authorisedBy: "head of desk", reason: "checked")
    pipeline.ingest(Rig.trade(3, 10_000, at: 2_000_000))
    #expect(pipeline.gateway.sent.count == 1)
    // Made after the re-arm, a pipeline has nothing to re-arm.
    let later = try Rig.pipeline(HostVenue(), control: control)
    let trips = later.kill.tripCount
    #expect(trips == 0)
  }
}
