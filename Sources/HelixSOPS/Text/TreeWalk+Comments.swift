import HelixModel

/// Which container holds a comment, as go-yaml places it, and which values it speaks for.
///
/// go-yaml's placement has odd corners after a step back in indentation; so every comment names
/// all containers that it may belong to, the likely one first.
extension TreeWalk {
  /// Takes the comments up to an offset; `next` is the frame that holds what stands there.
  mutating func flushComments(before offset: Int, next: Int?) {
    guard nextComment < tree.comments.count, tree.comments[nextComment].start < offset,
      frames.last?.alias == nil
    else { return }
    let nextColumn = next == nil ? 0 : lineColumn(of: offset)
    let isFirstChild = frames.last.map { $0.cursor == $0.node + 1 } ?? true
    var isFoot = false
    var isFirst = true
    while nextComment < tree.comments.count, tree.comments[nextComment].start < offset {
      let index = nextComment
      nextComment += 1
      guard index != walkedComment else { continue }
      let startsGroup = isFirst || !continues(index)
      if startsGroup {
        isFoot = isFirst && !isFirstChild && followsContent(index) && endsInBlank(index)
      }
      isFirst = false
      let holder = self.holder(of: index, next: next, column: nextColumn, isFoot: isFoot)
      add(comment: index, to: holder)
    }
  }

  /// The comment on the line where brackets close.
  ///
  /// go-yaml gives it to the map or list as a whole; SOPS puts it first in a map's value, and
  /// before a list's item.
  mutating func commentBehindBrackets(_ node: Int) -> Int? {
    let place = tree.nodes[node]
    guard place.style == .flow, !place.isInFlow else { return nil }
    var low = nextComment
    var high = tree.comments.count
    while low < high {
      let middle = (low + high) / 2
      if tree.comments[middle].start < place.end { low = middle + 1 } else { high = middle }
    }
    guard low < tree.comments.count, tree.comments[low].isInline,
      !hasBreak(place.end..<tree.comments[low].start)
    else { return nil }
    walkedComment = low
    return low
  }

  /// Takes the comment behind a key or value on the same line.
  mutating func noteInlineComment(of node: Int, before following: Int) {
    guard nextComment < tree.comments.count else { return }
    let comment = tree.comments[nextComment]
    let end = tree.nodes[node].end
    guard nextComment != walkedComment, comment.isInline, comment.start < following,
      comment.start >= tree.nodes[node].start
    else { return }
    guard comment.start < end || !hasBreak(end..<comment.start) else { return }
    add(comment: nextComment, to: frames.count - 1)
    nextComment += 1
  }

  /// Adds a comment to a frame, or to the root of a document without any.
  mutating func add(comment index: Int, to holder: Int?) {
    let comment = tree.comments[index]
    var holders: [PathChain?] = []
    for frame in [holder].compactMap({ $0 }) + frames.indices.reversed() {
      let path = frames[frame].path
      if !holders.contains(where: { $0 === path }) { holders.append(path) }
    }
    if holders.isEmpty { holders = [nil] }
    let bytes = Array(text[(comment.start + 1)..<comment.end])
    let active = holder.map { frames[$0].activeComment } ?? -1
    items.append(
      SOPSItem(
        document: document, holders: holders, comment: bytes, activeComment: active,
        location: location(comment.start)))
    spots.append(.comment(index))
    previousComments.append(active)
    commentTexts.append(bytes)
    if let holder { frames[holder].activeComment = commentTexts.count - 1 }
  }

  private func holder(of index: Int, next: Int?, column: Int, isFoot: Bool) -> Int? {
    let comment = tree.comments[index]
    let inBrackets = frames.lastIndex {
      let node = tree.nodes[$0.node]
      return node.style == .flow && node.start < comment.start && comment.start < node.end
    }
    if let inBrackets { return inBrackets }
    if comment.isInline { return frames.indices.last }
    // Deeper than what follows, or at the end of a paragraph: it speaks of what came before.
    if comment.column > column || isFoot {
      let fitting = frames.lastIndex {
        tree.nodes[$0.node].style == .block && tree.nodes[$0.node].column <= comment.column
      }
      return fitting ?? frames.indices.first
    }
    return next ?? frames.indices.first
  }

  // MARK: Looking around

  /// The column of the first thing on the line of an offset.
  private func lineColumn(of offset: Int) -> Int {
    var start = offset
    while start > 0, LineBreak.length(text, at: start - 1) == 0 { start -= 1 }
    var column = 0
    while start + column < offset, text[start + column] == UInt8(ascii: " ") { column += 1 }
    return column
  }

  private func hasBreak(_ range: Range<Int>) -> Bool {
    range.contains { LineBreak.length(text, at: $0) > 0 }
  }

  /// Whether a comment stands right below another one at the same column.
  private func continues(_ index: Int) -> Bool {
    guard index > 0, tree.comments[index - 1].column == tree.comments[index].column else {
      return false
    }
    let end = tree.comments[index - 1].end
    let behind = end + LineBreak.length(text, at: end)
    return behind > end && !hasBreak(behind..<tree.comments[index].start)
  }

  /// Whether the line above a comment's holds something.
  private func followsContent(_ index: Int) -> Bool {
    let comment = tree.comments[index]
    guard !comment.isInline else { return false }
    var end = comment.start
    while end > 0, text[end - 1] == UInt8(ascii: " ") || text[end - 1] == 0x09 { end -= 1 }
    guard end > 0 else { return false }
    end -= 1
    if end > 0, text[end] == 0x0A, text[end - 1] == 0x0D { end -= 1 }
    while end > 0, text[end - 1] == UInt8(ascii: " ") || text[end - 1] == 0x09 { end -= 1 }
    return end > 0 && LineBreak.length(text, at: end - 1) == 0
  }

  /// Whether an empty line follows the comments that start here.
  ///
  /// At the end of a document none
  /// does: there the `sops` block follows as soon as the document is encrypted.
  private func endsInBlank(_ first: Int) -> Bool {
    var last = first
    while last + 1 < tree.comments.count, continues(last + 1) { last += 1 }
    var index = tree.comments[last].end
    index += LineBreak.length(text, at: index)
    while text[index] == UInt8(ascii: " ") || text[index] == 0x09 { index += 1 }
    return LineBreak.length(text, at: index) > 0
  }
}
