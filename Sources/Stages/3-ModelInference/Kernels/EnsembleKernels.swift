internal import LockFreeRings
internal import TradingTypes

/// The members of an ensemble as kernels, with the windows of every instrument.
///
/// Everything lies in memory of an arena or taken at `init`; nothing allocates after it. All instruction sets give the
/// same bits.
@safe struct EnsembleKernels: ~Copyable {
  /// Where a member computes.
  private struct Place {
    var isForest = true
    /// Among the forests, or among the networks.
    var index = 0
    /// Of the lookups a forest reads, which it may share.
    var lookups = 0
    /// Its logit is the raw score times this.
    var scale = 1.0
    var required = FeatureMask()
    /// Networks: the row begins with the inputs, so that nothing has to be gathered.
    var readsFirst = true
    var looksBack = false
  }

  /// Members there are.
  let count: Int
  /// The instruction set that is used.
  let set: KernelSet
  /// Instruments that windows are kept of.
  let instrumentCount: Int
  private let places: InlineArray<8, Place>
  // Move-only values in raw memory, as many as the counts say; `deinit` ends them.
  private let forests: UnsafeMutablePointer<ForestKernel>
  private let forestCount: Int
  private let networks: UnsafeMutablePointer<NetworkKernel>
  private let networkCount: Int
  // Row and features of network n, where it does not read the first of the row.
  private let rows: UnsafeMutablePointer<KernelRow>
  private let inputs: UnsafeMutablePointer<UnsafeMutablePointer<Int32>>
  // State of network n and instrument i at n × instrumentCount + i; a network without memory has states too.
  private let states: UnsafeMutablePointer<NetworkState>
  // Where `advance` goes on, and whether a bar has closed since it last found nothing.
  private var pending = 0
  private var isPending = false

  /// Copies the members of a sound model into `arena`, in the forms the kernels read.
  ///
  /// - Precondition: every network has its 8-bit form; the processor has the instruction set.
  init(_ model: EnsembleModel, instrumentCount: Int, set: KernelSet, in arena: Arena) {
    precondition(instrumentCount >= 1, "EnsembleKernels: at least one instrument")
    precondition(set.isSupported, "EnsembleKernels: this processor has the instruction set \(set)")
    let set = set.resolved
    let forestList = model.forests
    let networkList = model.networks
    count = model.members.count
    self.set = set
    self.instrumentCount = instrumentCount
    forestCount = forestList.count
    networkCount = networkList.count
    // In bounds, here and below: as much room as there are values, each initialised once.
    unsafe forests = .allocate(capacity: max(forestCount, 1))
    let lookups = unsafe ForestKernel.initialize(forests, forestList, set: set, in: arena)
    unsafe networks = .allocate(capacity: max(networkCount, 1))
    unsafe rows = .allocate(capacity: max(networkCount, 1))
    unsafe inputs = .allocate(capacity: max(networkCount, 1))
    unsafe states = .allocate(capacity: max(networkCount * instrumentCount, 1))
    for (place, member) in networkList.enumerated() {
      guard let quantised = member.quantised else { preconditionFailure("EnsembleKernels: networks in 8 bits") }
      unsafe (networks + place).initialize(to: NetworkKernel(quantised, set: set, in: arena))
      unsafe (rows + place).initialize(to: KernelRow(featureCount: member.inputs.count, in: arena))
      let list = unsafe arena.room(for: Int32.self, count: member.inputs.count)
      for (index, feature) in member.inputs.enumerated() { unsafe (list + index).initialize(to: Int32(feature)) }
      unsafe (inputs + place).initialize(to: list)
      for instrument in 0..<instrumentCount {
        unsafe (states + (place * instrumentCount + instrument)).initialize(
          to: networks[place].state(member.mode, in: arena))
      }
    }
    var forest = 0
    var network = 0
    places = InlineArray { place in
      var result = Place()
      guard place < model.members.count else { return result }
      let member = model.members[place]
      result.scale = member.logitScale ?? 1
      for feature in member.required where feature < FeatureVector.count { result.required[feature] = true }
      switch member.kind {
      case .forest:
        result.index = forest
        result.lookups = lookups[forest]
        forest += 1
      case .network(let value):
        result.isForest = false
        result.index = network
        result.readsFirst = value.inputs == Array(0..<value.inputs.count)
        result.looksBack = value.looksBack
        network += 1
      }
      return result
    }
  }

  deinit {
    // As many as were initialised.
    unsafe forests.deinitialize(count: forestCount)
    unsafe forests.deallocate()
    unsafe networks.deinitialize(count: networkCount)
    unsafe networks.deallocate()
    unsafe rows.deinitialize(count: networkCount)
    unsafe rows.deallocate()
    unsafe inputs.deallocate()
    unsafe states.deinitialize(count: networkCount * instrumentCount)
    unsafe states.deallocate()
  }

  /// Bytes of arena memory the members of a sound model take.
  static func arenaBytes(for model: EnsembleModel, instrumentCount: Int) -> Int {
    var bytes = ForestKernel.arenaBytes(sharing: model.forests)
    for network in model.networks {
      guard let quantised = network.quantised else { continue }
      bytes += NetworkKernel.arenaBytes(for: quantised) + KernelRow.arenaBytes(featureCount: network.inputs.count)
      bytes += 4 * network.inputs.count + 128
      bytes += instrumentCount * NetworkKernel.arenaBytes(for: quantised, mode: network.mode)
    }
    return bytes
  }

  // MARK: - A tick

  /// The logit of each member that can speak about `row`, and those members as bits.
  ///
  /// - Complexity: O(model), no allocation.
  mutating func logits(
    _ row: borrowing KernelRow, valid: FeatureMask, of instrument: Int, into logits: inout InlineArray<8, Double>
  ) -> UInt32 {
    precondition(instrument >= 0 && instrument < instrumentCount, "EnsembleKernels: the instrument is one of them")
    var present: UInt32 = 0
    // Lookups that were found for this row, and those of them that have something missing.
    var found: UInt32 = 0
    var missing: UInt32 = 0
    for member in 0..<count where valid.contains(places[member].required) {
      let place = places[member]
      // In bounds, here and below: places were made from the lists.
      if place.isForest {
        let bit: UInt32 = 1 << UInt32(place.lookups)
        if found & bit == 0 {
          found |= bit
          if unsafe forests[place.index].bins(row) { missing |= bit }
        }
        logits[member] = unsafe forests[place.index].rawBinned(hasMissing: missing & bit != 0) * place.scale
      } else {
        guard let value = networkRaw(place, row, instrument) else { continue }
        logits[member] = Double(value) * place.scale
      }
      present |= 1 << UInt32(member)
    }
    return present
  }

  /// The raw score of a network, or nil while its window is not full.
  private mutating func networkRaw(_ place: Place, _ row: borrowing KernelRow, _ instrument: Int) -> Float? {
    let state = place.index * instrumentCount + instrument
    guard place.looksBack else {
      guard !place.readsFirst else { return unsafe networks[place.index].predict(row) }
      gather(place, row)
      return unsafe networks[place.index].predict(rows[place.index])
    }
    guard unsafe states[state].isReady else { return nil }
    guard !place.readsFirst else { return unsafe networks[place.index].predict(row, &states[state]) }
    gather(place, row)
    return unsafe networks[place.index].predict(rows[place.index], &states[state])
  }

  /// Goes over one member's part of a tick and forgets the answer.
  mutating func warm(_ member: Int, _ row: borrowing KernelRow, of instrument: Int) {
    let place = places[member]
    // In bounds: as in `logits`.
    if place.isForest {
      _ = unsafe forests[place.index].raw(row)
    } else if place.looksBack {
      unsafe networks[place.index].warm(&states[place.index * instrumentCount + instrument])
    } else {
      unsafe networks[place.index].warm()
    }
  }

  private mutating func gather(_ place: Place, _ row: borrowing KernelRow) {
    unsafe rows[place.index].gather(inputs[place.index], from: row)
  }

  // MARK: - A bar

  /// `row` becomes the newest closed row of every window of `instrument`.
  mutating func close(_ row: borrowing KernelRow, of instrument: Int) {
    precondition(instrument >= 0 && instrument < instrumentCount, "EnsembleKernels: the instrument is one of them")
    isPending = true
    for member in 0..<count where places[member].looksBack {
      let place = places[member]
      let state = place.index * instrumentCount + instrument
      guard !place.readsFirst else {
        unsafe networks[place.index].close(row, &states[state])
        continue
      }
      gather(place, row)
      unsafe networks[place.index].close(rows[place.index], &states[state])
    }
  }

  /// Empties the windows of `instrument`.
  mutating func reset(_ instrument: Int) {
    // In bounds: a state for each network and instrument.
    for network in 0..<networkCount {
      unsafe networks[network].reset(&states[network * instrumentCount + instrument])
    }
  }

  /// One slice of the work that closed bars left; false when none is left.
  mutating func advance() -> Bool {
    guard isPending else { return false }
    // In bounds: the place stays below the number of states.
    for _ in 0..<(networkCount * instrumentCount) {
      if unsafe networks[pending / instrumentCount].advance(&states[pending]) { return true }
      pending = pending + 1 == networkCount * instrumentCount ? 0 : pending + 1
    }
    isPending = false
    return false
  }
}

extension EnsembleModel {
  /// The trees among the members, in order.
  var forests: [DecisionForest] {
    members.compactMap { member in
      if case .forest(let forest) = member.kind { return forest }
      return nil
    }
  }

  /// The networks among the members, in order.
  var networks: [NetworkMember] {
    members.compactMap { member in
      if case .network(let network) = member.kind { return network }
      return nil
    }
  }
}
