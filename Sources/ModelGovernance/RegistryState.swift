/// What a registry holds: the sum of its history.
///
/// Every change is an event, and this is the one place that says which events may follow which: the registry asks it before it writes
/// one, and again when it reads the history back.
public struct RegistryState: Codable, Hashable, Sendable {
  /// Events so far.
  public private(set) var sequence = 0
  /// SHA-256 of the last event's line; empty before the first.
  public private(set) var lineSHA256 = ""
  /// When the last event happened, in nanoseconds since the Unix epoch.
  public private(set) var timeNanoseconds = Int64.min
  /// The models, by name.
  public private(set) var models: [RegisteredModel] = []

  private enum CodingKeys: String, CodingKey {
    case sequence, models
    case lineSHA256 = "line_sha256"
    case timeNanoseconds = "time_ns"
  }

  /// An empty registry.
  public init() {}

  /// The model called `name`, or nil.
  public func model(_ name: String) -> RegisteredModel? { models.first { $0.name == name } }

  /// A version, or a line that says what there is instead.
  public func version(_ number: Int, of name: String) throws(GovernanceError) -> ModelVersion {
    guard let model = model(name) else { throw GovernanceError("\(name): no model of this name") }
    guard number >= 1, number <= model.versions.count else {
      throw GovernanceError("\(name): version \(number): 1 to \(model.versions.count) expected")
    }
    return model.versions[number - 1]
  }

  /// Takes an event in, or throws what speaks against it and stays as it was.
  ///
  /// - Parameters:
  ///   - lineSHA256: the hash of the event's line.
  mutating func apply(_ event: ModelEvent, lineSHA256: String) throws(GovernanceError) {
    guard event.sequence == sequence + 1 else {
      throw GovernanceError("event \(event.sequence): event \(sequence + 1) expected")
    }
    guard event.previous == self.lineSHA256 else {
      throw GovernanceError("event \(event.sequence): it does not continue the line before it")
    }
    guard event.timeNanoseconds >= timeNanoseconds else {
      throw GovernanceError("event \(event.sequence): a time not before \(timeNanoseconds) expected")
    }
    guard RegisteredModel.isName(event.model) else {
      throw GovernanceError("\(event.model): a name of 1 to 64 letters, digits, '.', '_' and '-' expected")
    }
    var next = self
    if event.kind == .registered {
      try next.register(event)
    } else {
      let version = try version(event.version, of: event.model)
      if event.kind.changesRegistry { try next.change(version, event) }
    }
    next.sequence += 1
    next.lineSHA256 = lineSHA256
    next.timeNanoseconds = event.timeNanoseconds
    self = next
  }

  private mutating func register(_ event: ModelEvent) throws(GovernanceError) {
    let count = model(event.model)?.versions.count ?? 0
    guard event.version == count + 1 else {
      throw GovernanceError("\(event.model): version \(count + 1) expected, \(event.version) found")
    }
    guard let artifact = event.artifact, artifact.fault == nil else {
      throw GovernanceError("\(event.model): version \(event.version): an artifact by SHA-256 and size expected")
    }
    let lineage = event.lineage ?? ModelLineage()
    if let parent = lineage.parentVersion, parent < 1 || parent > count {
      throw GovernanceError("\(event.model): a parent from version 1 to \(count) expected, \(parent) found")
    }
    let version = ModelVersion(
      number: event.version, artifact: artifact, timeNanoseconds: event.timeNanoseconds,
      metadata: event.metadata ?? [:], lineage: lineage, stage: .none, gates: nil, approval: nil)
    if let place = models.firstIndex(where: { $0.name == event.model }) {
      models[place].versions.append(version)
    } else {
      models.append(RegisteredModel(name: event.model, versions: [version], production: nil, former: []))
      models.sort { $0.name < $1.name }
    }
  }

  private mutating func change(_ version: ModelVersion, _ event: ModelEvent) throws(GovernanceError) {
    guard let place = models.firstIndex(where: { $0.name == event.model }) else { return }
    var model = models[place]
    let index = version.number - 1
    func refusal(_ expected: String) -> GovernanceError {
      GovernanceError("\(event.model): version \(version.number) is \(version.stage.rawValue): \(expected)")
    }
    switch event.kind {
    case .gatePassed, .gateFailed:
      guard version.stage != .archived else { throw refusal("the gates judge versions that are not archived") }
      guard let gates = event.gates, gates.passed == (event.kind == .gatePassed) else {
        throw refusal("a gate report that agrees with the event expected")
      }
      model.versions[index].gates = gates
      // An approval speaks of the gates that were there.
      if version.stage != .production { model.versions[index].approval = nil }
    case .staged:
      guard version.stage == .none || version.stage == .archived else { throw refusal("none or archived expected") }
      model.versions[index].stage = .staging
      model.versions[index].approval = nil
    case .approved:
      guard version.stage == .staging else { throw refusal("staging expected") }
      guard let gates = version.gates else { throw refusal("no gates have judged it") }
      guard gates.passed else { throw refusal("the gates did not pass: \(gates.reasons.joined(separator: "; "))") }
      guard let reason = event.reason, !reason.isEmpty else { throw refusal("an approval says why") }
      model.versions[index].approval = ModelApproval(
        actor: event.actor, reason: reason, timeNanoseconds: event.timeNanoseconds, rowCount: gates.quality.count,
        wilsonLower: gates.wilsonLower)
    case .promoted:
      guard version.stage == .staging else { throw refusal("staging expected") }
      guard version.gates?.passed == true else { throw refusal("it has not passed the gates") }
      guard version.approval != nil else { throw refusal("nobody has approved it") }
      try model.makeProduction(version.number, event)
    case .rolledBack:
      guard version.number == model.rollbackTarget else {
        throw refusal(model.rollbackTarget.map { "a rollback leads to version \($0)" } ?? "no former version")
      }
      try model.makeProduction(version.number, event)
      model.former.removeAll { $0 == event.formerVersion }
    case .archived:
      guard version.stage != .archived else { throw refusal("it is put away already") }
      if model.production == version.number {
        model.production = nil
        model.former.append(version.number)
      }
      model.versions[index].stage = .archived
    default: return
    }
    models[place] = model
  }
}

extension RegisteredModel {
  /// Where a rollback leads: the version that was in force last and is put away now; nil where there is none.
  public var rollbackTarget: Int? { former.last { versions[$0 - 1].stage == .archived } }

  /// Puts a version in force and the one that was in force away.
  fileprivate mutating func makeProduction(_ number: Int, _ event: ModelEvent) throws(GovernanceError) {
    guard event.formerVersion == production else {
      throw GovernanceError(
        "\(name): version \(production.map { "\($0)" } ?? "none") is in force, the event names another")
    }
    former.removeAll { $0 == number }
    if let production {
      versions[production - 1].stage = .archived
      former.append(production)
    }
    versions[number - 1].stage = .production
    production = number
  }
}
