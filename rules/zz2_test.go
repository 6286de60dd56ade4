package rules
import ("testing";"os";"path/filepath";"fmt";"bytes")
func TestZY(t *testing.T){
 s:=builtin(t,Options{})
 files,_:=filepath.Glob("/tmp/dump/*.js")
 x:=&s.marks
 names:=map[string]bool{};for _,n:=range s.index.names{names[n]=true}
 anchors:=map[string][]string{}
 texts:=[][]byte{}
 for _,m:=range x.list{
  best:="";isname:=false
  for _,tk:=range m.tokens{
   if tk.kind==tokenName||tk.kind==tokenString{
    if len(tk.text)>len(best)&&tk.text!="window"&&tk.text!="document"{best=tk.text;isname=true}
    if tk.kind==tokenString{for i:=range len(tk.text){if !nameByte(tk.text[i]){}}}
   }
  }
  for i:=range len(best){if !nameByte(best[i]){isname=false}}
  if isname{anchors[best]=append(anchors[best],m.text)}else{texts=append(texts,[]byte(best))}
 }
 fmt.Printf("anchors %d texts %q\n",len(anchors),texts)
 for k,v:=range anchors{if len(k)<5{fmt.Println(k,v)}}
 var tb,w1,h,any int
 hit:=map[string]int{}
 for _,f:=range files{b,_:=os.ReadFile(f)
  tb+=len(b)
  var fw,fh bool
  for i:=0;i<len(b);{
   if !nameByte(b[i]){i++;continue}
   j:=i;for j<len(b)&&nameByte(b[j]){j++}
   w:=string(b[i:j])
   if len(anchors[w])>0{fw=true;hit[w]+=len(b)}
   i=j
  }
  for _,tx:=range texts{if bytes.Contains(b,tx){fw=true;hit[string(tx)]+=len(b)}}
  for i:=0;i<len(b);i++{
   if b[i]!='.' {continue}
   st,en:=hostAround(b,i)
   if en-st<4{continue}
   hs:=bytes.ToLower(b[st:en])
   for k:=0;k<len(hs);k++{ if k==0||hs[k-1]=='.' { if names[string(hs[k:])]{fh=true}}}
  }
  if fw{w1+=len(b)};if fh{h+=len(b)};if fw||fh{any+=len(b)}
 }
 fmt.Println("total",tb,"word",w1,"host",h,"any",any)
 for k,v:=range hit{if v>40000{fmt.Println(k,v)}}
}
