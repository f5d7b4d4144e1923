public import LockFreeRings
public import ModelGovernance
public import TradingEngine
internal import TradingTypes

extension DeskModel {
  /// A version of the registered model `name`, ready for a desk.
  ///
  /// - Parameters:
  ///   - version: its number; nil for the one in force.
  ///   - instrumentCount: instruments of the desk.
  ///   - customNames: names of slots 88–95 in order (`CustomFeatures.names`).
  /// - Throws: one line where there is no such version, or its artifact is not the registered one or not for this engine.
  /// - Complexity: O(bytes of the artifact); allocates.
  public init(
    _ name: String, version: Int? = nil, in registry: borrowing ModelRegistry, instrumentCount: Int,
    kernels: KernelSet = .best, customNames: [String] = []
  ) throws(GovernanceError) {
    guard let number = version ?? registry.state.model(name)?.production else {
      throw GovernanceError("\(registry.folder): \(name): a version in force expected, none found")
    }
    let registered = try registry.state.version(number, of: name)
    let path = registry.artifactPath(of: registered)
    do throws(ArtifactError) {
      let artifact = try ModelArtifact.open(path)
      // The registry looked at its bytes when it was opened; they may have changed since.
      guard artifact.sha256 == registered.artifact.sha256 else {
        throw ArtifactError(file: path, section: "file", offsetBytes: 0, expected: "content of this hash")
      }
      try self.init(
        artifact, version: UInt32(clamping: number), instrumentCount: instrumentCount, kernels: kernels,
        customNames: customNames)
    } catch { throw GovernanceError("\(error)") }
  }

  /// The model that a recorded change of `name` tells of: the version with that hash, whatever its stage is now.
  static func repeated(
    _ swap: ModelSwap, of name: String, in registry: borrowing ModelRegistry, instrumentCount: Int, windowMax: Int,
    kernels: KernelSet, customNames: [String]
  ) throws(GovernanceError) -> DeskModel {
    let versions = registry.state.model(name)?.versions ?? []
    // The newest where the same bytes were registered twice: they forecast the same.
    guard let version = versions.last(where: { ModelNotice.model(sha256: $0.artifact.sha256) == swap.model }) else {
      let digits = String(swap.model, radix: 16)
      throw GovernanceError(
        "\(registry.folder): \(name): a version whose SHA-256 begins with "
          + "\(String(repeating: "0", count: 16 - digits.count))\(digits) expected, none found")
    }
    let model = try DeskModel(
      name, version: version.number, in: registry, instrumentCount: instrumentCount, kernels: kernels,
      customNames: customNames)
    guard model.window <= windowMax else {
      throw GovernanceError("\(name): windows of at most \(windowMax) rows expected, \(model.window) found")
    }
    return model
  }
}

extension ModelDesk {
  /// The desk that a replay of a recorded run needs: the same models, changed at the same events.
  ///
  /// - Parameters:
  ///   - swaps: the run's record (`ModelSwap.recorded(inJournal:)`), from its beginning.
  ///   - name: the registered model that every version is of.
  ///   - windowMax: the longest window of the models; another one than the run had does no harm.
  /// - Throws: one line where the record does not begin with a champion or runs backwards, a version is not there, or the arena is full.
  /// - Complexity: loads every model of the record before the first event; allocates.
  public static func repeating(
    _ swaps: [ModelSwap], of name: String, in registry: borrowing ModelRegistry, instrumentCount: Int,
    windowMax: Int = 64, kernels: KernelSet = .best, customNames: [String] = [], arena: Arena
  ) throws(GovernanceError) -> ModelDesk {
    guard let beginning = swaps.first, beginning.isBeginning else {
      throw GovernanceError("\(name): a record of changes that begins with a champion expected")
    }
    for (place, swap) in swaps.enumerated().dropFirst()
    where swap.isBeginning || swap.sequence < swaps[place - 1].sequence {
      throw GovernanceError(
        "\(name): change \(place) at event \(swap.sequence): the record of one run expected, with events that do not fall"
      )
    }
    let plan = try SwapPlan(repeating: swaps) { (swap) throws(GovernanceError) in
      try DeskModel.repeated(
        swap, of: name, in: registry, instrumentCount: instrumentCount, windowMax: windowMax, kernels: kernels,
        customNames: customNames)
    }
    let champion = try DeskModel.repeated(
      beginning, of: name, in: registry, instrumentCount: instrumentCount, windowMax: windowMax, kernels: kernels,
      customNames: customNames)
    do throws(RingError) {
      return try ModelDesk(champion: champion, windowMax: windowMax, plan: plan, in: arena)
    } catch { throw GovernanceError("\(name): \(error)") }
  }
}
