internal import ModelInference
public import TradingTypes

// Changes of models, and the windows of models that came. Outside the walk: nothing here runs where nothing changes.
extension ModelDesk {
  /// Takes over one change that is due: of the plan, then of the publisher. The champion that is there first is told as one.
  @inline(never) @usableFromInline mutating func takeOver(_ sequence: UInt64, at time: Timestamp) -> ModelSwap? {
    var effect: ModelSwap?
    if !hasBegun {
      hasBegun = true
      effect = ModelSwap(
        sequence: sequence, time: time, place: .champion, model: champion.id, version: champion.version, shard: shard)
    } else if planned < plan.entries.count, plan.entries[planned].sequence <= sequence {
      let entry = plan.entries[planned]
      planned += 1
      guard !entry.isTaken, var change = entry.change.take() else {
        preconditionFailure("SwapPlan: a plan serves one desk")
      }
      entry.isTaken = true
      effect = apply(&change, sequence, at: time)
      entry.change = consume change
    } else {
      if held == nil, let change = incoming.take() {
        heldSequence = change.earliestSequence
        held = consume change
      }
      if heldSequence <= sequence, var change = held.take() {
        heldSequence = .max
        effect = apply(&change, sequence, at: time)
        incoming.giveBack(change)
      }
    }
    dueSequence = min(heldSequence, planned < plan.entries.count ? plan.entries[planned].sequence : .max)
    mayLackRows = true
    return effect
  }

  /// Puts the change's model into its place, and the former one into the change; how it took effect.
  private mutating func apply(_ change: inout ModelChange, _ sequence: UInt64, at time: Timestamp) -> ModelSwap {
    var effect = ModelSwap(sequence: sequence, time: time, place: change.place, model: 0, shard: shard)
    if change.model != nil {
      effect.model = change.model!.traits().id
      effect.version = change.model!.traits().version
    }
    // Wrapping: a change a nanosecond for centuries.
    counters.swaps &+= 1
    switch change.place {
    case .champion:
      guard var model = change.model.take() else { preconditionFailure("ModelDesk: a champion takes a model's place") }
      effect.former = champion.id
      swap(&champion, &model)
      change.model = consume model
      tell(ModelNotice(.swapped, model: effect.model, version: effect.version, at: time))
    case .challenger:
      if challenger != nil {
        effect.former = challenger!.traits().id
        tell(
          ModelNotice(
            .challengerStopped, model: challenger!.traits().id, version: challenger!.traits().version, at: time))
      }
      swap(&challenger, &change.model)
      split = change.split
      if challenger != nil {
        effect.challengerBucketCount = UInt32(truncatingIfNeeded: split.challengerBucketCount)
        tell(
          ModelNotice(
            .challengerStarted, model: effect.model, version: effect.version, value: split.challengerShare, at: time))
      }
    case .shadow:
      if shadow != nil { effect.former = shadow!.traits().id }
      tellDisagreement(at: time)
      shadowTally = ShadowTally()
      toldTally = shadowTally
      lastShadow = .unusable
      swap(&shadow, &change.model)
    }
    change.effect = effect
    // Stored: a getter over this many move-only parts costs the compiler minutes.
    warmSliceCount = champion.ensemble.value.warmSliceCount
    if challenger != nil { warmSliceCount += challenger!.traits().sliceCount }
    if shadow != nil { warmSliceCount += shadow!.traits().sliceCount }
    return effect
  }

  /// A row into the windows of some instrument, of a model that lacks one; false when none does.
  mutating func fillSlice() -> Bool {
    guard mayLackRows else { return false }
    // From instrument to instrument, where the last slice ended.
    for _ in 0..<champion.instrumentCount {
      if champion.fillOne(fillCursor, from: rows, by: &scratch) { return true }
      if challenger != nil, challenger!.fillOne(fillCursor, from: rows, by: &scratch) { return true }
      if shadow != nil, shadow!.fillOne(fillCursor, from: rows, by: &scratch) { return true }
      // One with a longer memory begins when it is due: what it knows must not depend on when it came.
      if held != nil, held!.model != nil, !held!.model!.traits().isStateful,
        held!.model!.fillOne(fillCursor, from: rows, by: &scratch)
      {
        return true
      }
      fillCursor = fillCursor + 1 == champion.instrumentCount ? 0 : fillCursor + 1
    }
    mayLackRows = false
    return false
  }
}
