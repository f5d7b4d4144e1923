import Foundation
import ModelGovernance
import TestSupport
import Testing
import TradingTypes

// Goal: no version trades without gates and an approval, and everything is remembered. Method: the life of three versions, each
// forbidden step, and a registry opened again after every change.
struct ModelRegistryTests {
  @Test func `a version goes from none through staging, gates and approval into production, and back`() throws {
    let folder = try RegistryFolder()
    var registry = try folder.open()
    let first = try registry.add(
      "up", artifact: [1, 2, 3], metadata: ["schema": "16cf"], lineage: ModelLineage(code: "abc"), by: "ada", at: at(1))
    try registry.stage("up", version: first, at: at(2))
    try registry.record(gates: try report(passed: true), of: "up", version: first, at: at(3))
    try registry.approve("up", version: first, reason: "shadow agreed for a week", by: "ben", at: at(4))
    try registry.promote("up", version: first, at: at(5))
    let second = try registry.add("up", artifact: [4], lineage: ModelLineage(parentVersion: 1), at: at(6))
    try registry.stage("up", version: second, at: at(6))
    try registry.record(gates: try report(passed: true), of: "up", version: second, at: at(7))
    try registry.approve("up", version: second, reason: "better", at: at(8))
    try registry.promote("up", version: second, at: at(9))
    let promoted = registry.state.model("up")
    #expect(promoted?.production == 2 && promoted?.former == [1])
    #expect(promoted?.versions.map(\.stage) == [.archived, .production])
    let back = try registry.rollBack("up", reason: "losses", at: at(10))
    #expect(back == 1)
    let after = registry.state.model("up")
    #expect(after?.production == 1 && after?.former == [] && after?.rollbackTarget == nil)
    #expect(after?.versions.map(\.stage) == [.production, .archived])
    #expect(after?.versions[0].approval?.actor == "ben" && after?.versions[0].approval?.rowCount == 2000)
    #expect(after?.versions[0].metadata == ["schema": "16cf"] && after?.versions[1].lineage.parentVersion == 1)
    let state = registry.state
    let path = try registry.artifactPath(of: state.version(1, of: "up"))
    #expect(FileManager.default.contents(atPath: path) == Data([1, 2, 3]))
    #expect(registry.faults() == [] && registry.unnamedArtifacts() == [])
    let kinds = try registry.events().map(\.kind)
    #expect(
      kinds == [
        .registered, .staged, .gatePassed, .approved, .promoted, .registered, .staged, .gatePassed, .approved,
        .promoted, .rolledBack,
      ])
    // Everything is there again for the next reader, also without this library.
    let reader = try folder.open(.reading)
    let read = reader.state
    #expect(read == state)
    let view = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/models.json")))
    #expect(((view as? [String: Any])?["sequence"] as? Int) == 11)
  }

  @Test func `each forbidden step is refused and changes nothing`() throws {
    let folder = try RegistryFolder()
    var registry = try folder.open()
    _ = try registry.add("up", artifact: [1], at: at(5))
    func expect(_ line: String, _ change: (inout ModelRegistry) throws -> Void) {
      let before = registry.state
      let history = folder.history
      let found = refusal { try change(&registry) }
      let after = registry.state
      #expect(found == line)
      #expect(after == before && folder.history == history, "\(line)")
    }
    let passed = try report(passed: true)
    let failed = try report(passed: false)
    expect("up: version 1 is none: staging expected") { try $0.promote("up", version: 1, at: at(6)) }
    expect("up: version 1 is none: staging expected") { try $0.approve("up", version: 1, reason: "r", at: at(6)) }
    expect("up: version 2: 1 to 1 expected") { try $0.stage("up", version: 2, at: at(6)) }
    expect("up: version 0: 1 to 1 expected") { try $0.stage("up", version: 0, at: at(6)) }
    expect("down: no model of this name") { try $0.stage("down", version: 1, at: at(6)) }
    expect("event 2: a time not before 5000000000 expected") { try $0.stage("up", version: 1, at: at(4)) }
    expect("up: no former production version") { _ = try $0.rollBack("up", at: at(6)) }
    expect("up: a parent from version 1 to 1 expected, 2 found") {
      _ = try $0.add("up", artifact: [2], lineage: ModelLineage(parentVersion: 2), at: at(6))
    }
    expect("up: an artifact of at least 1 byte expected") { _ = try $0.add("up", artifact: [], at: at(6)) }
    expect("../up: a name of 1 to 64 letters, digits, '.', '_' and '-' expected") {
      _ = try $0.add("../up", artifact: [2], at: at(6))
    }
    expect("up: promoted is a change and has a method of its own") {
      try $0.note(ModelEvent(.promoted, model: "up", version: 1, at: at(6)))
    }
    expect("event: finite numbers expected") {
      try $0.note(ModelEvent(.driftAlert, model: "up", version: 1, at: at(6), value: .nan))
    }
    try registry.stage("up", version: 1, at: at(6))
    expect("up: version 1 is staging: none or archived expected") { try $0.stage("up", version: 1, at: at(7)) }
    expect("up: version 1 is staging: it has not passed the gates") { try $0.promote("up", version: 1, at: at(7)) }
    expect("up: version 1 is staging: no gates have judged it") {
      try $0.approve("up", version: 1, reason: "r", at: at(7))
    }
    try registry.record(gates: failed, of: "up", version: 1, at: at(7))
    expect("up: version 1 is staging: the gates did not pass: \(failed.reasons[0])") {
      try $0.approve("up", version: 1, reason: "r", at: at(8))
    }
    try registry.record(gates: passed, of: "up", version: 1, at: at(8))
    expect("up: version 1 is staging: nobody has approved it") { try $0.promote("up", version: 1, at: at(9)) }
    expect("up: version 1 is staging: an approval says why") {
      try $0.approve("up", version: 1, reason: "", at: at(9))
    }
    // Gates after the approval take it away.
    try registry.approve("up", version: 1, reason: "r", at: at(9))
    try registry.record(gates: passed, of: "up", version: 1, at: at(10))
    expect("up: version 1 is staging: nobody has approved it") { try $0.promote("up", version: 1, at: at(11)) }
    #expect(registry.unnamedArtifacts() == [])
  }

  @Test func `a version put away goes through staging and approval again, and a rollback finds what is left`() throws {
    let folder = try RegistryFolder()
    var registry = try folder.open()
    let passed = try report(passed: true)
    for number in 1...3 {
      _ = try registry.add("m", artifact: [UInt8(number)], at: at(1))
      try registry.stage("m", version: number, at: at(1))
      try registry.record(gates: passed, of: "m", version: number, at: at(1))
      try registry.approve("m", version: number, reason: "r", at: at(1))
      try registry.promote("m", version: number, at: at(1))
    }
    let former = registry.state.model("m")?.former
    #expect(former == [1, 2])
    // Version 2 is tested anew, so a rollback passes over it.
    try registry.stage("m", version: 2, at: at(2))
    let unapproved = refusal { try registry.promote("m", version: 2, at: at(2)) }
    #expect(unapproved == "m: version 2 is staging: nobody has approved it")
    let target = try registry.rollBack("m", at: at(3))
    #expect(target == 1)
    // One in force that is put away leaves none, and can come back.
    try registry.archive("m", version: 1, reason: "withdrawn", at: at(4))
    let withdrawn = registry.state.model("m")
    #expect(withdrawn?.production == nil && withdrawn?.rollbackTarget == 1)
    let again = try registry.rollBack("m", at: at(5))
    let production = registry.state.model("m")?.production
    #expect(again == 1 && production == 1)
    let counts = registry.state.models.flatMap(\.versions).count { $0.stage == .production }
    #expect(counts == 1)
  }

  @Test func `the same bytes are kept once, and events that change nothing are kept too`() throws {
    let folder = try RegistryFolder()
    var registry = try folder.open()
    _ = try registry.add("a", artifact: [7, 7], at: at(1))
    _ = try registry.add("b", artifact: [7, 7], at: at(1))
    let files = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/artifacts")
    #expect(files.count == 1)
    let drift = ModelEvent(
      .driftAlert, model: "a", version: 1, at: at(2), reason: "psi", subject: "spread", value: 0.31)
    try registry.note(drift)
    for kind in [ModelEvent.Kind.swapped, .challengerStarted, .challengerStopped, .shadowDisagreement, .driftCleared] {
      try registry.note(ModelEvent(kind, model: "b", version: 1, at: at(3), value: 0.2))
    }
    let last = try registry.events().suffix(6)
    #expect(last.first?.subject == "spread" && last.first?.value == 0.31 && last.count == 6)
    let sha256 = registry.state.models[0].versions[0].artifact.sha256
    let notice = drift.notice(sha256: sha256, slot: 4)
    #expect(notice.kind == .driftAlert && notice.value == 0.31 && notice.slot == 4 && notice.version == 1)
    #expect(sha256.hasPrefix(hexadecimal(notice.model)) && notice.time == at(2))
  }

  @Test func `every kind of event has a small form of its own`() {
    #expect(Set(ModelEvent.Kind.allCases.map(\.notice)).count == ModelNotice.Kind.allCases.count)
    #expect(MemoryLayout<ModelNotice>.stride <= 48)
    #expect(ModelNotice.model(sha256: "00000000000000ff123") == 255)
    #expect(ModelNotice.model(sha256: "00000000000000f") == nil)
    #expect(ModelNotice.model(sha256: "+0000000000000ff") == nil)
  }
}
